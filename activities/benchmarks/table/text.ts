/** The table for a terminal. */
import { columnDetail, commonItems, intervalText, itemsText, labelOf, suffix, TABLE_TITLES } from './marks.js';
import type { ShownCell, ShownMean, Table } from './shown-table.js';

/** Lines aligned in columns; bounds in whole percent, for a terminal is narrow. */
export function tableAsText(table: Table): string {
  const withMean = table.rows.some(row => row.mean);
  const header = [
    ['', ...table.columns.map(column => column.title), ...(withMean ? ['mean'] : [])],
    ['', ...table.columns.map((_, c) => columnDetail(table, c)), ...(withMean ? [''] : [])],
  ];
  const body = table.rows.map(row => [
    printable(labelOf(row)) + (row.baseline ? ' (baseline)' : ''),
    ...row.cells.map((cell, c) => {
      const items = cell && commonItems(table.rows, c) === null ? itemsText(cell) : '';
      return shown(cell, table.metric) + items;
    }),
    ...(withMean ? [shown(row.mean, table.metric)] : []),
  ]);
  return [
    `${TABLE_TITLES[table.metric]}, % [95 % interval]`,
    '',
    ...aligned([...header, ...body]),
    '',
    ...table.notes.map(printable),
    '',
  ].join('\n');
}

function shown(one: ShownCell | ShownMean | null, metric: Table['metric']): string {
  if (one === null) return '';
  return [one.score.toFixed(1), intervalText(one, 0), suffix(one, metric)].filter(part => part !== '').join(' ');
}

/** A label may hold anything, also what a terminal takes for commands. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '\ufffd');

function aligned(lines: string[][]): string[] {
  const widths = lines[0]!.map((_, c) => Math.max(...lines.map(line => [...line[c]!].length)));
  return lines.map(line =>
    line
      .map((cell, c) => cell + ' '.repeat(widths[c]! - [...cell].length))
      .join('  ')
      .trimEnd(),
  );
}
