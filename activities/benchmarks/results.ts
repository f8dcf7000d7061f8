/** What an evaluation keeps of every item, and what becomes of all: score, interval, mean@n, pass@k, official metrics. */
import type { Estimate, EvaluationRow, ReadByMemory, Shortened } from '../contract/index.js';
import type { ResponseReward } from '../rewards/index.js';
import type { OfficialMetric } from './benchmarks.js';
import { estimate } from './statistics/estimate.js';
import { mean, passAtK } from './statistics/samples.js';

/** Without a reward where the item is unscored. */
export interface ScoredAnswer extends Partial<ResponseReward> {
  text: string;
  tokens: number;
  /** `other`: ended by a filter of the endpoint. */
  finish: 'stop' | 'length' | 'other';
  /** Where the documents were read chunk by chunk: what the answer was given from, and what its calls took. */
  reading?: { memory: string; calls: number; promptTokens: number; tokens: number };
  /** The benchmark's own metrics of the extracted answer, each from 0 to 1. */
  official?: Record<string, number>;
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

/** An evaluation of a set, in percent: its estimate is mean@n of the reward, n being `meanAt`. */
export interface ItemsSummary extends Estimate {
  /** Items with a score; all else here is over them. */
  items: number;
  unscored: number;
  /** Of those without a score, the ones that an endpoint gave no answer to, as too long or filtered. */
  unanswered?: number;
  /** Items whose prompts an endpoint read in part. */
  shortened?: Shortened;
  /** How documents were read chunk by chunk, and the tokens that this took. */
  memory?: ReadByMemory & { sentTokens: number; answerTokens: number };
  /** Answers to each item. */
  meanAt: number;
  passAt: Record<number, Estimate>;
  official: Record<string, Estimate>;
}

/**
 * Several answers to an item are averaged first, and the intervals count items, not answers: answers to one question are no
 * independent evidence. For pass@k an answer is right when its reward is 1 or more. Throws RangeError without a scored item,
 * where items differ in their number of answers or metrics, and for a k above that number.
 */
export function summariseItems(items: readonly ItemResult[], { k = [] }: { k?: readonly number[] } = {}): ItemsSummary {
  if (items.length === 0) throw new RangeError('expected at least one item');
  const scored = items.filter(item => item.unscored === undefined);
  if (scored.length === 0)
    throw new RangeError(`none of its ${items.length} items could be scored: ${items[0]!.unscored}`);
  const meanAt = scored[0]!.answers.length;
  const metrics = Object.keys(scored[0]!.answers[0]?.official ?? {});
  for (const item of scored) refuseUnlike(item, meanAt, metrics);

  const over = (score: (item: ItemResult) => number): Estimate => estimate(scored.map(score));
  const right = (item: ItemResult): number => item.answers.filter(answer => answer.reward! >= 1).length;
  return {
    ...over(item => mean(item.answers.map(answer => answer.reward!))),
    items: scored.length,
    unscored: items.length - scored.length,
    meanAt,
    passAt: Object.fromEntries(k.map(k => [k, over(item => passAtK(meanAt, right(item), k))])),
    official: Object.fromEntries(
      metrics.map(metric => [metric, over(item => mean(item.answers.map(answer => answer.official![metric]!)))]),
    ),
  };
}

function refuseUnlike({ id, answers }: ItemResult, count: number, metrics: readonly string[]): void {
  if (answers.length !== count || count === 0)
    throw new RangeError(
      `item ${id}: expected ${count || 'at least one'} answers, as the first has, got ${answers.length}`,
    );
  answers.forEach(({ reward, official = {} }, i) => {
    if (!Number.isFinite(reward)) throw new RangeError(`item ${id}, answer ${i}: expected a reward, got ${reward}`);
    const names = Object.keys(official);
    if (names.length !== metrics.length || metrics.some(metric => !Number.isFinite(official[metric])))
      throw new RangeError(
        `item ${id}, answer ${i}: expected the official metrics [${metrics}], as the first has, got ${JSON.stringify(official)}`,
      );
  });
}

/**
 * The scored items' means over their answers, by id, in percent: what two models are compared by. Throws RangeError where an item
 * is there twice or lacks that metric.
 */
export function itemScores(items: readonly ItemResult[], metric: 'reward' | OfficialMetric): Map<string, number> {
  const scores = new Map<string, number>();
  for (const { id, answers, unscored } of items) {
    if (unscored !== undefined) continue;
    if (scores.has(id)) throw new RangeError(`item ${id}: expected every item once`);
    const values = answers.map(answer => (metric === 'reward' ? answer.reward : answer.official?.[metric]));
    if (!values.every(value => Number.isFinite(value)))
      throw new RangeError(`item ${id}: expected scores by ${metric}, got [${values}]`);
    scores.set(id, 100 * mean(values as number[]));
  }
  return scores;
}

/** One row of a run's table. Throws RangeError, naming the set, where summariseItems does. */
export function summarise(policy: string, set: string, items: readonly ItemResult[], uri: string): EvaluationRow {
  const { score, low, high, items: count } = ofSet(set, () => summariseItems(items));
  return {
    policy,
    set,
    items: count,
    score,
    low,
    high,
    meanPromptTokens: mean(items.map(item => item.promptTokens)),
    uri,
  };
}

function ofSet<T>(set: string, summarised: () => T): T {
  try {
    return summarised();
  } catch (error) {
    throw new RangeError(`evaluation set ${set}: ${(error as Error).message}`);
  }
}
