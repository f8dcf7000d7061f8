/** What goes into a table of models and benchmarks, and its cells before any format. */
import type { Comparison, Estimate, Shortened } from '../../contract/index.js';
import type { ItemsSummary } from '../results.js';

/** max(rule, judge), or each benchmark's first official metric. */
export type TableMetric = 'reward' | 'official';

export interface TableRow {
  label: string;
  kind: 'measured' | 'published';
  /** By benchmark, or by the name of a set that is none of the seven or one of several of the same. */
  cells: Readonly<Record<string, ItemsSummary>>;
  /** The mean as it was printed, for published rows. */
  mean?: number;
  /** Of published rows that were measured otherwise than the paper measures: they are compared with no other. */
  protocol?: 'later';
}

export interface TableInput {
  rows: readonly TableRow[];
  metric: TableMetric;
  /** Label of the row that the others are compared with; null where there is none. */
  baseline: string | null;
  comparisons: readonly Comparison[];
}

/** A score as it is shown; bounds that are no numbers: not known. */
export interface ShownCell extends Estimate {
  /** 0: not known. */
  items: number;
  unscored: number;
  unanswered?: number;
  shortened?: Shortened;
  memory?: ItemsSummary['memory'];
  meanAt: number;
  passAt: Record<number, Estimate>;
  official: Record<string, Estimate>;
  /** What the score is: `reward` or the name of an official metric. */
  metric: string;
  /** Of the measured rows the highest in its column. */
  best: boolean;
  comparison: Comparison | null;
}

export interface ShownMean extends Estimate {
  /** Benchmarks of the paper it is over, of seven. */
  of: number;
  best: boolean;
  comparison: Comparison | null;
}

export interface ShownRow {
  label: string;
  kind: TableRow['kind'];
  protocol?: TableRow['protocol'];
  baseline: boolean;
  /** In the order of the table's columns; null where there is no score. */
  cells: (ShownCell | null)[];
  mean: ShownMean | null;
}

export interface Table {
  metric: TableMetric;
  columns: { benchmark: string; title: string }[];
  rows: ShownRow[];
  /** What a reader has to know, a sentence each. */
  notes: string[];
}
