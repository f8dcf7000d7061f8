/** SFT examples laid out for training: those of one prompt side by side, so that it is computed once. */
import type { PromptGroup } from '../model/index.js';
import type { SftExample } from '../protocol/index.js';
import { sequenceMean } from './token-weights.js';

/**
 * @returns groups in the order in which their prompts first come, and each response token's weight in that order: the
 * loss is the mean over examples of each one's mean negative log-likelihood, however they are grouped
 */
export function sftBatch(examples: readonly SftExample[]): { groups: PromptGroup[]; weights: Float32Array } {
  const byPrompt = new Map<string, { promptIds: number[]; responses: number[][] }>();
  for (const { promptIds, responseIds } of examples) {
    const key = promptIds.join(' ');
    const group = byPrompt.get(key) ?? { promptIds, responses: [] };
    group.responses.push(responseIds);
    byPrompt.set(key, group);
  }
  const groups = [...byPrompt.values()];
  const responses = groups.flatMap(group => group.responses);
  const weights = sequenceMean(responses.map(response => [response.length]));
  return {
    groups,
    weights: Float32Array.from(responses.flatMap((response, i) => response.map(() => weights[i]![0]!))),
  };
}
