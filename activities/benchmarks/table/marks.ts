/** The marks of a table and how its scores are written. */
import type { Estimate } from '../../contract/index.js';
import type { ShownCell, ShownMean, ShownRow, Table } from './shown-table.js';

export const MARKS = { published: '†', later: '§', noMetric: '‡', above: '+', below: '-', within: '~' } as const;

/** `+`, `-` or `~` where there is a comparison. */
export function comparisonMark({ comparison }: Pick<ShownCell, 'comparison'>): string {
  if (comparison === null) return '';
  if (comparison.withinNoise) return MARKS.within;
  return comparison.difference > 0 ? MARKS.above : MARKS.below;
}

/** With the marks that follow a score. */
export function suffix(shown: ShownCell | ShownMean, metric: Table['metric']): string {
  const noMetric = metric === 'official' && 'metric' in shown && shown.metric === 'reward' ? MARKS.noMetric : '';
  const partial = 'of' in shown && shown.of < 7 ? `(${shown.of} of 7)` : '';
  return [noMetric, partial, comparisonMark(shown)].filter(mark => mark !== '').join(' ');
}

export function labelOf(row: ShownRow): string {
  if (row.kind === 'measured') return row.label;
  return `${row.label} ${row.protocol === 'later' ? MARKS.later : MARKS.published}`;
}

export const TABLE_TITLES: Record<Table['metric'], string> = {
  reward: 'max(rule, judge)',
  official: 'official metrics',
};

/** Nothing where the bounds are not known. */
export const intervalText = ({ low, high }: Estimate, digits: number): string =>
  Number.isFinite(low) ? `[${low.toFixed(digits)}, ${high.toFixed(digits)}]` : '';

/** Where rows differ in it. */
export const itemsText = ({ items }: ShownCell): string => (items > 0 ? ` n=${items}` : '');

/** The items of every row in the column, when they are as many; else each cell has to say. */
export function commonItems(rows: readonly ShownRow[], column: number): number | null {
  const counts = new Set(rows.flatMap(row => row.cells[column]?.items || []));
  return counts.size === 1 ? [...counts][0]! : null;
}

/** `n=200`, with the metric's name where metrics differ from column to column. */
export function columnDetail({ rows, metric }: Table, column: number): string {
  const items = commonItems(rows, column);
  const name = rows.find(row => row.cells[column])?.cells[column]?.metric;
  return [metric === 'official' ? name : null, items === null ? null : `n=${items}`].filter(part => part).join(', ');
}
