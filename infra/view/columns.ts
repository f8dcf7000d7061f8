/** Cells below one another: each column as wide as its widest cell. */
import { pad, widthOf } from './text-width.js';

type Side = 'left' | 'right';

/**
 * @param rows of equally many cells
 * @param side of a column, by its number
 */
export function columns(rows: readonly string[][], side: (column: number) => Side = () => 'left'): string[] {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map(row => widthOf(row[k]!))));
  return rows.map(row =>
    row
      .map((cell, k) => pad(cell, widths[k]!, side(k)))
      .join('  ')
      .trimEnd(),
  );
}

/** Columns of numbers to the right; the first row is their heading. */
export function numbersRight(rows: readonly string[][]): (column: number) => Side {
  return column => (rows.slice(1).every(row => /^[\d.]+$/.test(row[column]!)) ? 'right' : 'left');
}
