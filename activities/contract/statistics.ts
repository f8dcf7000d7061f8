/** Scores and their differences, with how sure they are. */

/** In percent, with its 95 % interval. */
export interface Estimate {
  score: number;
  low: number;
  high: number;
}

/** Row minus baseline, in percent points. */
export interface Comparison extends Difference {
  /** Labels of the two rows. */
  row: string;
  baseline: string;
  /** A column of the table, or `mean`. */
  benchmark: string;
  metric: 'reward' | 'official';
  /** `paired`: the same items, resampled together. `unpaired`: two scores of which only the numbers of items are known. */
  kind: 'paired' | 'unpaired';
}

export interface Difference {
  /** Items of the row that it rests on. */
  items: number;
  difference: number;
  /** 95 % interval. */
  low: number;
  high: number;
  /** Two-sided. */
  p: number;
  /** Whether chance alone could well have made it: the interval has 0 in it, or p is above 0.05. */
  withinNoise: boolean;
}
