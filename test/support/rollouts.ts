/** Small groups of scored responses, and how their losses are set. */
import type { Algorithm, LossSettings, ScoredGroup } from '../../activities/engine/protocol/index';
import { randomStream } from '../../activities/engine/random';
import { ALGORITHMS } from '../../activities/engine/training/algorithms';
import { between } from './graphs';

/** The algorithm as its paper has it, at temperature 1, with `over` laid on. */
export function lossOf(algorithm: Algorithm, over: Partial<LossSettings> = {}): LossSettings {
  const { clipLow, clipHigh } = ALGORITHMS[algorithm];
  return { algorithm, clipLow, clipHigh, temperature: 1, overlong: null, tokenMean: 'group', ...over };
}

/** Responses of these lengths and rewards; every token was sampled at log-probability -1. */
export function group(...responses: [length: number, reward: number][]): ScoredGroup {
  return {
    promptIds: [1],
    responses: responses.map(([length, reward]) => ({
      ids: new Array<number>(length).fill(2),
      logprobs: new Array<number>(length).fill(-1),
      reward,
    })),
  };
}

/** Five groups of four responses of 1 to 12 tokens, in the first of which all are right, each with proximal log-probabilities. */
export function randomGroups(name: string): ScoredGroup[] {
  const random = randomStream('groups', name);
  return Array.from({ length: 5 }, (_, i) => ({
    promptIds: [1],
    responses: Array.from({ length: 4 }, () => {
      const length = between(random, 1, 12);
      const logprobs = Array.from({ length }, () => Math.fround(-3 * random.uniform()));
      return {
        ids: new Array<number>(length).fill(2),
        logprobs,
        proximal: logprobs.map(logprob => Math.fround(logprob + 0.6 * (random.uniform() - 0.5))),
        reward: i === 0 ? 1 : random.below(2),
      };
    }),
  }));
}
