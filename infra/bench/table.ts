/** Tables as people read them, as plain text or Markdown. */
import { columns } from '../view/columns.js';

export type Table = { columns: string[]; lines: string[][] };

export const asText = (table: Table): string => columns([table.columns, ...table.lines]).join('\n');

export function asMarkdown({ columns, lines }: Table): string {
  const row = (cells: string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(columns), `|${columns.map(() => '---|').join('')}`, ...lines.map(row)].join('\n');
}
