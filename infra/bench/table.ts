/** Tables as people read them, as plain text or Markdown. */

export type Table = { columns: string[]; lines: string[][] };

export function asText({ columns, lines }: Table): string {
  const widths = columns.map((column, c) => Math.max(column.length, ...lines.map(line => line[c]!.length)));
  return [columns, ...lines]
    .map(line =>
      line
        .map((cell, c) => cell.padEnd(widths[c]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function asMarkdown({ columns, lines }: Table): string {
  const row = (cells: string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(columns), `|${columns.map(() => '---|').join('')}`, ...lines.map(row)].join('\n');
}
