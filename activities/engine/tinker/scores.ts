/** Log-probabilities under the policy. */
import { checkGroups, checkIds } from '../process/index.js';
import {
  type EngineOperations,
  EngineRequestError,
  type LogprobsRequest,
  type ScoreRequest,
} from '../protocol/index.js';
import { configOf, type Operating } from './operation.js';
import { responseTokens, sequencesOf } from './step.js';

export async function logprobs(
  { policy, signal, progress }: Operating,
  { sequences, temperature = 1 }: LogprobsRequest,
): Promise<EngineOperations['logprobs'][1]> {
  expectTemperatureOne(temperature);
  const held = await policy.ready(signal);
  const config = await configOf(held.state.directory);
  for (const ids of sequences) checkIds(ids, config, 'a sequence');
  const scored = sequences.filter(ids => ids.length > 1);
  const found = scored.length === 0 ? [] : await held.calls(signal).forward(scored);
  progress(1, 1, 'micro-batches');
  let next = 0;
  return { logprobs: sequences.map(ids => [null, ...(ids.length > 1 ? found[next++]! : [])]) };
}

export async function score(
  { policy, signal, progress }: Operating,
  { groups, temperature }: ScoreRequest,
): Promise<EngineOperations['score'][1]> {
  expectTemperatureOne(temperature || 1);
  const held = await policy.ready(signal);
  const packed = groups.filter(({ responses }) => responses.length > 0);
  checkGroups(packed, await configOf(held.state.directory));
  const found = responseTokens(packed, await held.calls(signal).forward(sequencesOf(packed)));
  progress(1, 1, 'micro-batches');
  let next = 0;
  return { logprobs: groups.map(({ responses }) => responses.map(ids => ids.map(() => found[next++]!))) };
}

/** Services compute the log-probabilities that they train on from the logits as they are. */
export function expectTemperatureOne(temperature: number): void {
  if (temperature === 1) return;
  throw new EngineRequestError(
    `temperature is ${temperature}; a training service scores and trains at temperature 1: sample at 1 where is trained`,
    'unsupported',
  );
}
