/** What requests are refused for before anything is computed: ids that do not fit the model, rollouts that do not fit the loss. */
import type { Adapter, DecoderConfig, PromptGroup } from '../model/index.js';
import { EngineRequestError, type LossSettings, type ScoredResponse, type UpdateRequest } from '../protocol/index.js';
import { rulesOf } from '../training/index.js';

/**
 * Refuses ids outside the vocabulary and sequences that outgrow the context.
 * @param what the sequence is, as the message has it
 * @param beside further tokens in the same context, and what they are
 */
export function checkIds(
  ids: readonly number[],
  { vocabularySize, contextLength }: DecoderConfig,
  what: string,
  beside?: { tokens: number; what: string },
): void {
  if (ids.length === 0) throw new EngineRequestError(`${what} is empty; expected at least one token id`);
  if (ids.length + (beside?.tokens ?? 0) > contextLength) {
    const whole = [`${what} of ${ids.length} tokens`, ...(beside ? [beside.what] : [])].join(' ');
    throw new EngineRequestError(
      `${whole} exceeds the model's context of ${contextLength} tokens; shorten it, or take a model of more context`,
    );
  }
  const bad = ids.find(id => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (bad !== undefined)
    throw new EngineRequestError(`${what} holds the id ${bad}; expected whole numbers from 0 to ${vocabularySize - 1}`);
}

export function checkGroups(groups: readonly PromptGroup[], config: DecoderConfig): void {
  if (groups.length === 0) throw new EngineRequestError('the batch is empty; expected at least one example');
  for (const { promptIds, responses } of groups) {
    if (responses.length === 0) throw new EngineRequestError('a group has no responses; expected at least one');
    checkIds(promptIds, config, 'a prompt');
    for (const ids of responses) {
      if (ids.length === 0) throw new EngineRequestError('a response is empty; expected at least one token');
      const prompt = { tokens: promptIds.length, what: `behind a prompt of ${promptIds.length} tokens` };
      checkIds(ids, config, 'a response', prompt);
    }
  }
}

/** @throws EngineRequestError (not-finite) for a loss or a gradient's norm that no step is to be taken with */
export function expectFinite(name: 'loss' | 'gradient norm', value: number): void {
  if (Number.isFinite(value)) return;
  throw new EngineRequestError(
    `the ${name} is ${value}: the step was not taken; lower the learning rate or look at the batch`,
    'not-finite',
  );
}

/** Refuses to train an adapter on by another recipe than its own. */
export function checkTrainable(adapter: Adapter | null): void {
  if (!adapter?.dropout) return;
  throw new EngineRequestError(
    `the adapter was trained with lora_dropout ${adapter.dropout}, and training without dropout is another recipe; set lora_dropout to 0 in its adapter_config.json to train on without`,
    'unsupported',
  );
}

/** Refuses an update's scores and settings, where they do not go together. */
export function checkRollouts({ groups, loss }: UpdateRequest, hasReference: boolean): void {
  if (loss.kl && !hasReference)
    throw new EngineRequestError('the loss has a KL term and no reference policy is loaded: call reference first');
  if (rulesOf(loss.algorithm).options.includes('maxResponseTokens') && !((loss.maxResponseTokens ?? 0) >= 1))
    throw new EngineRequestError(
      `maxResponseTokens is ${loss.maxResponseTokens}; ${loss.algorithm} divides by the most tokens that a response may have: give it`,
    );
  for (const { deviation } of groups) checkDeviation(deviation, loss);
  for (const response of groups.flatMap(g => g.responses)) checkResponse(response, loss);
}

function checkDeviation(deviation: number | undefined, { advantageScale, algorithm }: LossSettings): void {
  if (advantageScale && !rulesOf(algorithm).options.includes('advantageScale'))
    throw new EngineRequestError(`advantageScale is "${advantageScale}"; ${algorithm} does not divide by a deviation`);
  if (Boolean(advantageScale) !== (deviation !== undefined))
    throw new EngineRequestError(
      `advantageScale is ${advantageScale} and a group ${deviation === undefined ? 'lacks' : 'bears'} a deviation; expected both or neither`,
    );
  if (deviation !== undefined && !(deviation >= 0 && deviation < Number.POSITIVE_INFINITY))
    throw new EngineRequestError(`a group's deviation is ${deviation}; expected a finite number, 0 or more`);
}

function checkResponse(response: ScoredResponse, { importanceCap }: LossSettings): void {
  const { reward, proximal } = response;
  if (!Number.isFinite(reward))
    throw new EngineRequestError(`a response's reward is ${reward}; expected a finite number`);
  checkLogprobs(response, response.logprobs);
  if (Boolean(importanceCap) !== Boolean(proximal))
    throw new EngineRequestError(
      `importanceCap is ${importanceCap} and a response ${proximal ? 'bears' : 'lacks'} proximal log-probabilities; expected both or neither`,
    );
  if (proximal) checkLogprobs(response, proximal, 'proximal ');
}

export function checkLogprobs({ ids }: ScoredResponse, logprobs: readonly number[], what = ''): void {
  if (logprobs.length !== ids.length)
    throw new EngineRequestError(
      `a response has ${ids.length} ids and ${logprobs.length} ${what}log-probabilities; expected one for each`,
    );
  const bad = logprobs.find(x => !Number.isFinite(x));
  if (bad !== undefined)
    throw new EngineRequestError(`a response has the ${what}log-probability ${bad}; expected finite numbers`);
}
