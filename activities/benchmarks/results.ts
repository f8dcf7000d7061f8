/** What an evaluation keeps of every item, and the row it becomes. */
import type { EvaluationRow } from '../../workflows/contract.js';
import { wilson } from './interval.js';

export interface ScoredAnswer {
  text: string;
  score: 0 | 1;
  extracted: string | null;
  reason: string;
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
}

/**
 * One row of the table: score and interval in percent. Several answers to an item are averaged first, and the interval
 * counts items, not answers: answers to one question are no independent evidence. Throws RangeError without items.
 */
export function summarise(policy: string, set: string, items: readonly ItemResult[], uri: string): EvaluationRow {
  if (items.length === 0) throw new RangeError(`evaluation set ${set}: expected at least one item`);
  const share = mean(items.map(item => mean(item.answers.map(answer => answer.score))));
  const { low, high } = wilson(share, items.length);
  return {
    policy,
    set,
    items: items.length,
    score: 100 * share,
    low: 100 * low,
    high: 100 * high,
    meanPromptTokens: mean(items.map(item => item.promptTokens)),
    uri,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
