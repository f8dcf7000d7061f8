/** The difference between two models on the same benchmark, or on several, and whether it is more than luck. */
import type { BenchmarkName } from '../benchmarks.js';

/** Row minus baseline, in percent points. */
export interface Comparison {
  /** Labels of the two rows. */
  row: string;
  baseline: string;
  benchmark: BenchmarkName | 'mean';
  metric: 'reward' | 'official';
  /** `paired`: the same items, resampled together. `unpaired`: two shares of which only the numbers of items are known. */
  kind: 'paired' | 'unpaired';
  /** Items of the row that the comparison rests on. */
  items: number;
  difference: number;
  low: number;
  high: number;
  /** Two-sided. */
  p: number;
  /** Whether the 95 % interval has 0 in it. */
  withinNoise: boolean;
}
