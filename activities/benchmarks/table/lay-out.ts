/** The table of models and benchmarks, what is measured beside what is published: its cells, before any format. */
import type { Comparison, Estimate } from '../../contract/index.js';
import { BENCHMARKS, isBenchmark, PAPER_BENCHMARKS } from '../benchmarks.js';
import type { ItemsSummary } from '../results.js';
import { meanEstimate } from '../statistics/estimate.js';
import { notesOn } from './notes.js';
import type { ShownCell, ShownMean, ShownRow, Table, TableInput, TableMetric, TableRow } from './shown-table.js';

/**
 * The columns are the paper's seven, of those that any row has, then the others as they come. A mean is over the paper's benchmarks that the row
 * has, and says over how many; a single benchmark has none. Throws RangeError for two rows of one label or an unknown baseline.
 */
export function layOut({ rows, metric, baseline, comparisons }: TableInput): Table {
  refuseUnclear(rows, baseline);
  // Published scores are rewards: beside official metrics they would mislead.
  const shown = metric === 'reward' ? rows : rows.filter(row => row.kind === 'measured');
  const columns = columnsOf(shown);
  const against = (row: string, benchmark: string): Comparison | null =>
    comparisons.find(
      one => one.row === row && one.benchmark === benchmark && one.metric === metric && one.baseline === baseline,
    ) ?? null;
  const laid = shown.map((row): ShownRow => {
    const cells = columns.map(benchmark => shownCell(row, benchmark, metric, against(row.label, benchmark)));
    const ofPaper = cells.filter((_, c) => isOfPaper(columns[c]!));
    const { label, kind, protocol } = row;
    const mean = protocol ? null : shownMean(row, ofPaper, metric, against(label, 'mean'));
    return { label, kind, ...(protocol && { protocol }), baseline: label === baseline, cells, mean };
  });
  const means = new Set(laid.flatMap(row => measured(row, row.mean)?.of ?? []));
  // A mean over other benchmarks than the baseline's is no higher or lower for it.
  const base = laid.find(row => row.baseline)?.mean?.of;
  for (const row of laid) if (row.mean && row.mean.of !== base) row.mean.comparison = null;
  for (const c of columns.keys()) markBest(laid.map(row => measured(row, row.cells[c]!)));
  if (means.size === 1) markBest(laid.map(row => measured(row, row.mean)));
  const table = {
    metric,
    columns: columns.map(benchmark => ({ benchmark, title: titleOf(benchmark) })),
    rows: laid,
  };
  return { ...table, notes: notesOn(table, rows.length - shown.length) };
}

function columnsOf(rows: readonly TableRow[]): string[] {
  const there = [...new Set(rows.flatMap(row => Object.keys(row.cells)))];
  const others = there.filter(name => !isOfPaper(name));
  return [...PAPER_BENCHMARKS.filter(benchmark => there.includes(benchmark)), ...others];
}

/** Whether the paper's mean counts it. */
export const isOfPaper = (name: string): boolean => (PAPER_BENCHMARKS as readonly string[]).includes(name);

const titleOf = (name: string): string => (isBenchmark(name) ? BENCHMARKS[name].title : name);

function shownCell(
  { cells }: TableRow,
  benchmark: string,
  metric: TableMetric,
  comparison: Comparison | null,
): ShownCell | null {
  const cell = cells[benchmark];
  const name = metric === 'official' ? firstOfficial(benchmark, cell) : 'reward';
  const estimate = name === 'reward' ? cell : cell?.official[name];
  if (cell === undefined || estimate === undefined) return null;
  return { ...cell, ...bounds(estimate), metric: name, best: false, comparison };
}

function shownMean(
  row: TableRow,
  cells: readonly (ShownCell | null)[],
  metric: TableMetric,
  comparison: Comparison | null,
): ShownMean | null {
  const counted = cells.filter(cell => cell !== null && (metric === 'reward' || cell.metric !== 'reward'));
  if (counted.length < 2) return null;
  const estimate = meanEstimate(counted as ShownCell[]);
  return { ...estimate, score: row.mean ?? estimate.score, of: counted.length, best: false, comparison };
}

/** Of a set by a name of its own, the first that was taken of it. */
function firstOfficial(column: string, cell: ItemsSummary | undefined): string {
  const names = isBenchmark(column) ? BENCHMARKS[column].official : Object.keys(cell?.official ?? {});
  return names[0] ?? 'reward';
}

const bounds = ({ score, low, high }: Estimate): Estimate => ({ score, low, high });

const measured = <T>(row: ShownRow, shown: T | null): T | null => (row.kind === 'measured' ? shown : null);

/** All that share the highest score, where there are two or more to choose from. */
function markBest(shown: readonly ({ score: number; best: boolean } | null)[]): void {
  const there = shown.filter(one => one !== null);
  const highest = Math.max(...there.map(one => one.score));
  if (there.length > 1) for (const one of there) one.best = one.score === highest;
}

function refuseUnclear(rows: readonly TableRow[], baseline: string | null): void {
  const labels = rows.map(row => row.label);
  const twice = labels.find((label, k) => labels.indexOf(label) < k);
  if (twice !== undefined) throw new RangeError(`rows: expected every label once, got ${JSON.stringify(twice)} twice`);
  if (baseline !== null && !labels.includes(baseline))
    throw new RangeError(`baseline: expected the label of a row, got ${JSON.stringify(baseline)}`);
}
