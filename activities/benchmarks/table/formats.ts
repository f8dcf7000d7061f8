/** The formats a table can be had in. */
import { tableAsCsv } from './csv.js';
import { layOut } from './lay-out.js';
import { tableAsMarkdown } from './markdown.js';
import type { Table, TableInput } from './shown-table.js';
import { tableAsText } from './text.js';

const FORMATS = {
  text: tableAsText,
  markdown: tableAsMarkdown,
  csv: tableAsCsv,
  json: (table: Table): string => `${JSON.stringify(table, null, 2)}\n`,
};

export type TableFormat = keyof typeof FORMATS;
export const TABLE_FORMATS = Object.keys(FORMATS) as TableFormat[];

/** Throws RangeError where layOut does. */
export function renderTable(input: TableInput, format: TableFormat): string {
  return FORMATS[format](layOut(input));
}
