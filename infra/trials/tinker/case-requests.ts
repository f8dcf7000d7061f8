/** What the cases ask of both engines: a function of the model's vocabulary alone. */
import type { Engine, LoraSettings, ScoredGroup, SftExample } from '../../../activities/engine/protocol/index.js';
import { randomStream } from '../../../activities/engine/random.js';

/** Lengths are the same throughout: some services compile each anew. */
export const PROMPT = 7;
export const RESPONSE = 9;

export interface CaseSetting {
  engine: Engine;
  /** Our own, on the same base. */
  own: Engine;
  /** The base's folder, weights included, and what the service calls it. */
  directory: string;
  served: string;
  lora: LoraSettings;
  vocabularySize: number;
  /** An empty folder for what cases save. */
  folder: string;
}

/** Seeded ids, of the part that every vocabulary has. */
export function ids({ vocabularySize }: CaseSetting, name: string, length: number): number[] {
  const random = randomStream('tinker cases', name);
  return Array.from({ length }, () => 2 + random.below(vocabularySize - 2));
}

export function examples(setting: CaseSetting, k: number): SftExample[] {
  return [0, 1, 2].map(i => ({
    promptIds: ids(setting, `p${k}.${i}`, PROMPT),
    responseIds: ids(setting, `r${k}.${i}`, RESPONSE),
  }));
}

/** Log-probabilities of the sampler are about those of a small untrained model, so that ratios lie around 1, some outside of every range. */
export function groups(setting: CaseSetting, withProximal = false): ScoredGroup[] {
  return [0, 1].map(i => ({
    promptIds: ids(setting, `prompt ${i}`, PROMPT),
    responses: [0, 1, 2].map(j => {
      const random = randomStream('tinker cases', 'rollout', i, j);
      const response = ids(setting, `response ${i}.${j}`, RESPONSE);
      const logprobs = response.map(() => -Math.log(setting.vocabularySize) + 0.6 * (random.uniform() - 0.5));
      const proximal = logprobs.map(logprob => logprob + 0.4 * (random.uniform() - 0.5));
      return { ids: response, logprobs, reward: (i + j) % 2, ...(withProximal && { proximal }) };
    }),
  }));
}
