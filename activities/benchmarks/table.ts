/** The table of models and benchmarks: what is measured beside what is published. */
import type { BenchmarkName } from './benchmarks.js';
import type { ItemsSummary } from './results.js';
import type { Comparison } from './statistics/comparison.js';

export interface TableRow {
  label: string;
  kind: 'measured' | 'published';
  cells: Partial<Record<BenchmarkName, ItemsSummary>>;
  /** The mean as it was printed, for published rows. */
  mean?: number;
}

export interface TableInput {
  rows: readonly TableRow[];
  /** Which scores are shown: max(rule, judge), or each benchmark's first official metric. */
  metric: 'reward' | 'official';
  /** Label of the row that the others are compared with; null where there is none. */
  baseline: string | null;
  comparisons: readonly Comparison[];
}
