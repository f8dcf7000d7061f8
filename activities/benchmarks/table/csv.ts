/** The table as CSV (RFC 4180), a line for each row and benchmark, and one for each mean. */
import type { Comparison } from '../../contract/index.js';
import type { ShownCell, ShownRow, Table } from './shown-table.js';

type Field = string | number | null;

/** Columns that every table has: who reads them by their places finds them there. */
const ALWAYS = ['em', 'f1', 'rouge-l', 'accuracy'];

export function tableAsCsv({ columns, rows }: Table): string {
  const ks = [...new Set(rows.flatMap(row => row.cells.flatMap(cell => Object.keys(cell?.passAt ?? {}))))].sort(
    (a, b) => Number(a) - Number(b),
  );
  const there = rows.flatMap(row => row.cells.flatMap(cell => Object.keys(cell?.official ?? {})));
  const metrics = [...new Set([...ALWAYS, ...there])];
  const header = [
    ...['label', 'kind', 'benchmark', 'metric', 'score', 'low', 'high', 'items', 'unscored', 'mean_at'],
    ...ks.map(k => `pass@${k}`),
    ...metrics.map(name => `official_${name}`),
    ...['baseline', 'comparison', 'difference', 'difference_low', 'difference_high', 'p', 'within_noise'],
  ];
  const line = (row: ShownRow, cell: ShownCell, benchmark: string): Field[] => [
    ...[row.label, row.kind, benchmark, cell.metric, cell.score, cell.low, cell.high],
    ...[cell.items || null, cell.unscored, cell.meanAt],
    ...ks.map(k => cell.passAt[Number(k)]?.score ?? null),
    ...metrics.map(name => cell.official[name]?.score ?? null),
    ...compared(cell.comparison),
  ];
  const meanLine = ({ label, kind, mean }: ShownRow): Field[][] => {
    if (!mean) return [];
    const empty = [...ks, ...metrics].map(() => null);
    const { of, score, low, high, comparison } = mean;
    return [
      [label, kind, `mean of ${of}`, null, score, low, high, null, null, null, ...empty, ...compared(comparison)],
    ];
  };
  const lines = rows.flatMap(row => [
    ...row.cells.flatMap((cell, c) => (cell ? [line(row, cell, columns[c]!.benchmark)] : [])),
    ...meanLine(row),
  ]);
  return [header, ...lines].map(fields => `${fields.map(csvField).join(',')}\r\n`).join('');
}

function compared(comparison: Comparison | null): Field[] {
  if (comparison === null) return [null, null, null, null, null, null, null];
  const { baseline, kind, difference, low, high, p, withinNoise } = comparison;
  return [baseline, kind, difference, low, high, p, String(withinNoise)];
}

/** Numbers to six decimals: the rest is rounding. Text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvField(field: Field): string {
  if (field === null || Number.isNaN(field)) return '';
  if (typeof field === 'number') return String(Number(field.toFixed(6)));
  return quotedField(/^[=+\-@\t\r]/.test(field) ? `'${field}` : field);
}

/** Quoted where it has to be (RFC 4180). */
export const quotedField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
