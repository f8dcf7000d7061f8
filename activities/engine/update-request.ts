/** What an update is refused for before anything is computed, its ids aside. */
import { rulesOf } from './algorithms.js';
import { EngineRequestError, type LossSettings, type ScoredResponse, type UpdateRequest } from './protocol.js';

/** @throws EngineRequestError naming what is wrong */
export function checkRollouts({ groups, loss }: UpdateRequest, hasReference: boolean): void {
  if (loss.kl && !hasReference)
    throw new EngineRequestError('the loss has a KL term and no reference policy is loaded: call reference first');
  if (rulesOf(loss.algorithm).options.includes('maxResponseTokens') && !((loss.maxResponseTokens ?? 0) >= 1))
    throw new EngineRequestError(
      `maxResponseTokens is ${loss.maxResponseTokens}; ${loss.algorithm} divides by the most tokens that a response may have: give it`,
    );
  for (const response of groups.flatMap(g => g.responses)) checkResponse(response, loss);
}

function checkResponse(response: ScoredResponse, { importanceCap }: LossSettings): void {
  const { reward, proximal } = response;
  if (!Number.isFinite(reward))
    throw new EngineRequestError(`a response's reward is ${reward}; expected a finite number`);
  checkLogprobs(response, response.logprobs, '');
  if (Boolean(importanceCap) !== Boolean(proximal))
    throw new EngineRequestError(
      `importanceCap is ${importanceCap} and a response ${proximal ? 'bears' : 'lacks'} proximal log-probabilities; expected both or neither`,
    );
  if (proximal) checkLogprobs(response, proximal, 'proximal ');
}

function checkLogprobs({ ids }: ScoredResponse, logprobs: readonly number[], what: string): void {
  if (logprobs.length !== ids.length)
    throw new EngineRequestError(
      `a response has ${ids.length} ids and ${logprobs.length} ${what}log-probabilities; expected one for each`,
    );
  const bad = logprobs.find(x => !Number.isFinite(x));
  if (bad !== undefined)
    throw new EngineRequestError(`a response has the ${what}log-probability ${bad}; expected finite numbers`);
}
