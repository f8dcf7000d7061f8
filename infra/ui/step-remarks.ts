/** What the options of a run meant for one step, in words: on the page and in the terminal. */
import type { StepInputs } from '../../activities/artifacts/index.js';

export function stepRemarks({ settings, sampler }: Pick<StepInputs, 'settings' | 'sampler'>): string[] {
  if (settings.kind !== 'rl') return [];
  const { maskNegative, truncation, advantageScale } = settings.loss;
  const remarks: [unknown, string][] = [
    [maskNegative, 'Responses of negative advantage taught nothing: the entropy before was too high (rl.aepo).'],
    [advantageScale === 'task', 'Advantages are divided by the deviation of their task (rl.advantageScale).'],
    [truncation, 'Log-probabilities are among the tokens that sampling keeps (rl.truncatedLogprobs).'],
    [sampler, `The first round was sampled by ${sampler?.name}, beside the update that made its parent (rl.overlap).`],
  ];
  return remarks.flatMap(([holds, text]) => (holds ? [text] : []));
}
