/** The table in Markdown, as GitHub shows it: the best measured score of a column is bold. */
import { columnDetail, commonItems, intervalText, itemsText, labelOf, suffix, TABLE_TITLES } from './marks.js';
import type { ShownCell, ShownMean, Table } from './shown-table.js';

export function tableAsMarkdown(table: Table): string {
  const withMean = table.rows.some(row => row.mean);
  const titles = table.columns.map(({ title }, c) => {
    const detail = columnDetail(table, c);
    return detail === '' ? title : `${title} (${detail})`;
  });
  const header = [`${TABLE_TITLES[table.metric]}, % [95 % interval]`, ...titles, ...(withMean ? ['mean'] : [])];
  const body = table.rows.map(row => [
    escaped(labelOf(row)) + (row.baseline ? ' (baseline)' : ''),
    ...row.cells.map((cell, c) => {
      const items = cell && commonItems(table.rows, c) === null ? itemsText(cell) : '';
      return shown(cell, table.metric) + items;
    }),
    ...(withMean ? [shown(row.mean, table.metric)] : []),
  ]);
  const lines = [header, header.map((_, c) => (c === 0 ? '---' : '---:')), ...body];
  const notes = table.notes.map(note => `- ${escaped(note)}`);
  return [...lines.map(cells => `| ${cells.join(' | ')} |`), ...(notes.length > 0 ? ['', ...notes] : []), ''].join(
    '\n',
  );
}

function shown(one: ShownCell | ShownMean | null, metric: Table['metric']): string {
  if (one === null) return '';
  const score = one.best ? `**${one.score.toFixed(1)}**` : one.score.toFixed(1);
  const mark = suffix(one, metric).replaceAll('~', '\\~');
  return [score, intervalText(one, 1), mark].filter(part => part !== '').join(' ');
}

/** What would end the cell or be taken for markup. */
const escaped = (text: string): string => text.replace(/\p{C}+/gu, ' ').replace(/[\\`*_~[\]<>|#&]/g, '\\$&');
