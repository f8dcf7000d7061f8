/** The table of models from the store alone: what was measured, beside what is published. */
import {
  type ItemsSummary,
  isOfPaper,
  LATER_ROWS,
  PUBLISHED_ROWS,
  renderTable,
  type TableFormat,
  type TableInput,
  type TableMetric,
  type TableRow,
} from '../../activities/benchmarks/index.js';
import { type ComparedRow, compareRows } from '../../activities/evaluation/index.js';
import type { Store } from '../../activities/store/index.js';
import { UserError } from '../user-error.js';
import { type MeasuredRow, measuredRows } from './rows.js';

export interface TableOptions {
  /** Evaluations, schedules or runs; all that there are where none is given. */
  names: string[];
  published?: boolean;
  /** Whether the rows of the later protocol stand beside them. */
  later?: boolean;
  /** Label of the row that the others are compared with; the first measured one unless given. */
  baseline?: string | undefined;
  metric?: TableMetric;
  format?: TableFormat;
}

/** @throws UserError for a name or a baseline that is not there */
export async function modelsTable(store: Store, { names, format = 'text', ...options }: TableOptions): Promise<string> {
  const measured = await measuredRows(store, names);
  if (measured.length === 0 && !options.published && !options.later) {
    throw new UserError('The store has no finished evaluation yet. To make one: npx longhaul evaluate --help');
  }
  return renderTable(tableOf(measured, options), format);
}

function tableOf(measured: MeasuredRow[], options: Omit<TableOptions, 'names' | 'format'>): TableInput {
  const { published = false, later = false, metric = 'reward' } = options;
  const ours = inColumns(measured);
  const rows: { row: TableRow; compared: ComparedRow }[] = [
    ...ours.map(one => ({ row: measuredRow(one), compared: one })),
    ...[...(published ? PUBLISHED_ROWS : []), ...(later ? LATER_ROWS : [])].map(row => ({
      row,
      compared: comparedPublished(row),
    })),
  ];
  const labels = rows.filter(({ row }) => !row.protocol).map(({ row }) => row.label);
  // One row alone has nothing to be compared with.
  const baseline = options.baseline ?? (labels.length > 1 ? (labels[0] ?? null) : null);
  const base = rows.find(({ row }) => row.label === baseline && !row.protocol);
  if (baseline !== null && !base) {
    throw new UserError(`--baseline ${baseline}: expected the label of a row: ${labels.join(', ')}`);
  }
  const comparisons = base
    ? rows
        .filter(one => one !== base && !one.row.protocol)
        .flatMap(one => compareRows(one.compared, base.compared, metric, isOfPaper))
    : [];
  return { rows: rows.map(({ row }) => row), metric, baseline, comparisons };
}

/** A set stands in its benchmark's column, unless some model has several of that benchmark: then each has its own. */
function inColumns(rows: MeasuredRow[]): MeasuredRow[] {
  const severalOf = new Set(
    rows.flatMap(({ sets }) =>
      sets.map(({ metric }) => metric).filter((metric, k, all) => metric === 'custom' || all.indexOf(metric) !== k),
    ),
  );
  return rows.map(row => ({
    ...row,
    sets: row.sets.map(set => ({ ...set, name: severalOf.has(set.metric) ? set.name : set.metric })),
  }));
}

function measuredRow({ label, sets }: MeasuredRow): TableRow {
  const cells: [string, ItemsSummary][] = sets.map(({ name, summary, unanswered }) => [
    name,
    { ...summary, ...(unanswered > 0 && { unanswered }) },
  ]);
  return { label, kind: 'measured', cells: Object.fromEntries(cells) };
}

/** Of published scores no more is known than their numbers of items. */
function comparedPublished({ label, cells }: TableRow): ComparedRow {
  return {
    label,
    sets: Object.entries(cells).map(([name, { score, low, high, items }]) => ({
      name,
      items: null,
      scores: [],
      reward: { score, low, high, items },
      official: null,
    })),
  };
}
