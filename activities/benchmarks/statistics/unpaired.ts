/** Two scores of which no more is known than their numbers of items, as of a published table. */
import type { Difference, Estimate } from '../../contract/index.js';
import { isWithinNoise } from './comparison.js';
import { twoSidedP } from './normal.js';
import { mean } from './samples.js';

/** A score in percent on so many items. */
export interface CountedEstimate extends Estimate {
  items: number;
}

/**
 * The mean difference over pairs of row and baseline (one alone: its own). Interval by Newcombe (1998, method 10): distances to
 * the bounds of each side add as squares; p by the test of two proportions with pooled variance.
 */
export function unpairedDifference(pairs: readonly (readonly [CountedEstimate, CountedEstimate])[]): Difference {
  const difference = mean(pairs.map(([row, baseline]) => row.score - baseline.score));
  const distance = (sides: (row: CountedEstimate, baseline: CountedEstimate) => [number, number]): number =>
    Math.hypot(...pairs.flatMap(pair => sides(...pair))) / pairs.length;
  const deviation = Math.sqrt(pairs.reduce((sum, pair) => sum + pooledVariance(...pair), 0)) / pairs.length;
  const bounds = {
    low: difference - distance((row, baseline) => [row.score - row.low, baseline.high - baseline.score]),
    high: difference + distance((row, baseline) => [row.high - row.score, baseline.score - baseline.low]),
    p: difference === 0 ? 1 : twoSidedP(difference / deviation),
  };
  const items = pairs.reduce((sum, [row]) => sum + row.items, 0);
  return { items, difference, ...bounds, withinNoise: isWithinNoise(bounds) };
}

function pooledVariance(row: CountedEstimate, baseline: CountedEstimate): number {
  const share = (row.score * row.items + baseline.score * baseline.items) / (row.items + baseline.items);
  return Math.max(0, share * (100 - share)) * (1 / row.items + 1 / baseline.items);
}
