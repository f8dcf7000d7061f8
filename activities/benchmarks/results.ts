/** What an evaluation keeps of every item, and the row it becomes. */
import type { EvaluationRow } from '../../workflows/contract.js';
import type { ResponseReward } from '../rewards/reward.js';
import { wilson } from './interval.js';

/** Without a reward where the item is unscored. */
export interface ScoredAnswer extends Partial<ResponseReward> {
  text: string;
  tokens: number;
  finish: 'stop' | 'length';
}

export interface ItemResult {
  /** The sample's id. */
  id: string;
  question: string;
  golds: string[];
  promptTokens: number;
  /** One for each response asked for. */
  answers: ScoredAnswer[];
  /** Why it has no rewards, where it has none. */
  unscored?: string;
}

/**
 * One row of the table: score and interval in percent. Several answers to an item are averaged first, and the interval
 * counts items, not answers: answers to one question are no independent evidence. Throws RangeError without items.
 */
export function summarise(policy: string, set: string, items: readonly ItemResult[], uri: string): EvaluationRow {
  if (items.length === 0) throw new RangeError(`evaluation set ${set}: expected at least one item`);
  const scored = items.filter(item => item.unscored === undefined);
  if (scored.length === 0)
    throw new RangeError(
      `evaluation set ${set}: none of its ${items.length} items could be scored: ${items[0]!.unscored}`,
    );
  const share = mean(scored.map(item => mean(item.answers.map(answer => answer.reward!))));
  const { low, high } = wilson(share, scored.length);
  return {
    policy,
    set,
    items: scored.length,
    score: 100 * share,
    low: 100 * low,
    high: 100 * high,
    meanPromptTokens: mean(items.map(item => item.promptTokens)),
    uri,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
