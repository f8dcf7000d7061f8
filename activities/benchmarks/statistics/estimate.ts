/** A mean over items and how sure it is. */
import { wilson } from '../interval.js';
import { mean } from './samples.js';

/** In percent, with its 95 % interval. */
export interface Estimate {
  score: number;
  low: number;
  high: number;
}

/** The mean of the items' scores, each from 0 to 1, with Wilson's interval. */
export function estimate(scores: readonly number[]): Estimate {
  const share = mean(scores);
  const { low, high } = wilson(share, scores.length);
  return { score: 100 * share, low: 100 * low, high: 100 * high };
}
