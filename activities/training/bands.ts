/** Which lengths are a phase's own. */
import type { Pool, PromptItem } from '../artifacts/index.js';
import type { RunSpec } from '../spec/index.js';

/** Whether a sample's prompt lies in phase k's own length band (k from 0): L_(k-1) < tokens <= L_k. */
export function inBand(spec: RunSpec, k: number, item: PromptItem): boolean {
  const { above, upTo } = bandOf(spec, k);
  return above < item.promptIds.length && item.promptIds.length <= upTo;
}

export function bandOf(spec: RunSpec, k: number): Pool['band'] {
  return { above: spec.phases[k - 1]?.maxTokens ?? 0, upTo: spec.phases[k]!.maxTokens };
}
