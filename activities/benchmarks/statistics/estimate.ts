/** A mean over items and how sure it is. */
import type { Estimate } from '../../contract/index.js';
import { type Interval, wilson } from '../interval.js';
import { studentT95, Z95 } from './normal.js';
import { mean } from './samples.js';

/** The mean of the items' scores, from 0 to 1 as a rule. Throws RangeError when there are none. */
export function estimate(scores: readonly number[]): Estimate {
  const centre = mean(scores);
  const { low, high } = intervalOf(scores, centre);
  return { score: 100 * centre, low: 100 * low, high: 100 * high };
}

/**
 * Wilson's where every score is 0 or 1. Where scores are shares (several answers to an item, token F1), Wilson's at the number of
 * yes-or-no items that would tell as much, p(1 - p) / (s² / n), less what not knowing s² costs (Korn and Graubard 1998). Simulated
 * with 10 to 824 items it holds 89 to 98 % there, where a t interval and the percentile bootstrap fall to 62 % for models that are
 * nearly always right. Scores outside 0 to 1, as some rewards have them, get the t interval.
 */
function intervalOf(scores: readonly number[], centre: number): Interval {
  const items = scores.length;
  if (scores.every(score => score === 0 || score === 1)) return wilson(centre, items);
  const variance = mean(scores.map(score => (score - centre) ** 2));
  const t = items > 1 ? studentT95(items - 1) : Z95;
  if (scores.some(score => score < 0 || score > 1)) {
    const half = t * Math.sqrt(variance / Math.max(1, items - 1));
    return { low: centre - half, high: centre + half };
  }
  // Equal scores say nothing of their variance.
  const effective = variance > 0 ? (centre * (1 - centre)) / (variance / items) : items;
  return wilson(centre, effective * (Z95 / t) ** 2);
}

/** The mean of independent estimates, its bounds by variance recovery: distances add as squares (Zou and Donner 2008). */
export function meanEstimate(estimates: readonly Estimate[]): Estimate {
  const score = mean(estimates.map(one => one.score));
  const below = Math.hypot(...estimates.map(one => one.score - one.low)) / estimates.length;
  const above = Math.hypot(...estimates.map(one => one.high - one.score)) / estimates.length;
  return { score, low: Math.max(0, score - below), high: Math.min(100, score + above) };
}
