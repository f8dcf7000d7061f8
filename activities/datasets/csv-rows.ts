/**
 * Cells of delimited text, record by record (RFC 4180, and what is written beside it). One record that is broken is that one's
 * fault: the next line begins another, which no library that was looked at does after a quotation mark that is never closed.
 */

export interface Dialect {
  delimiter: string;
  /** What ends a record; a "\r" before "\n" belongs to the end. */
  newline: '\n' | '\r';
  /**
   * Whether a quotation mark that opens a cell and is never closed breaks its record. Else it is a letter, as all of them are
   * where there is no quoting.
   */
  strict: boolean;
}

export interface Cell {
  text: string;
  quoted: boolean;
}

export interface Row {
  cells: Cell[];
  /** The line it begins in, from 1. */
  line: number;
  problem?: string | undefined;
}

const DELIMITERS = [',', ';', '\t', '|'];

/**
 * How the text is delimited, told by its header: by whichever mark it has most of.
 * @param header the first line at least
 */
export function dialectOf(header: string, tabs: boolean): Dialect {
  const newline = /\r(?!\n)/.test(header) && !header.includes('\n') ? '\r' : '\n';
  const names = header.split(newline, 1)[0]!.replaceAll(/"(?:[^"]|"")*"/g, '');
  const count = (mark: string) => names.split(mark).length;
  const most = DELIMITERS.reduce((best, mark) => (count(mark) > count(best) ? mark : best));
  return { delimiter: tabs ? '\t' : most, newline, strict: !tabs };
}

/** A cell in quotation marks that reaches further is taken for one that is never closed. */
const MAX_QUOTED = 2 ** 24;

/** Cuts text that comes in pieces into rows. Lines without anything are none. */
export class CsvSplitter {
  private pending = '';
  /** How many cells a row should have, once it is known. */
  columns: number | null = null;

  /** @param line the number of the text's first line */
  constructor(
    private readonly dialect: Dialect,
    private line = 1,
  ) {}

  /** What there is of a row that has not ended. */
  get unfinished(): string {
    return this.pending;
  }

  /** The rows that end in this piece; the last piece is said to be, and may be empty. */
  *push(piece: string, last = false): Generator<Row> {
    const text = this.pending + piece;
    let at = 0;
    while (at < text.length) {
      const row = this.row(text, at, last);
      if (row === null) break;
      const { cells, problem, end } = row;
      if (problem !== undefined || cells.length > 1 || cells[0]?.text !== '') yield { cells, line: this.line, problem };
      this.line += linesIn(text, at, end, this.dialect.newline);
      at = end;
    }
    this.pending = text.slice(at);
  }

  /**
   * The row that begins at `from`; null where its end has not come yet. Where cells in quotation marks reach over lines and
   * the row has not as many cells as it should, it is the mark that was wrong: the line is read by itself.
   */
  private row(text: string, from: number, last: boolean): ReadRow | null {
    const row = this.cells(text, from, last, text.length);
    if (row === null || this.columns === null || row.cells.length === this.columns) return row;
    const { newline } = this.dialect;
    return linesIn(text, from, row.end, newline) > 1 ? this.cells(text, from, last, text.indexOf(newline, from)) : row;
  }

  /** @param within where cells in quotation marks end at the latest */
  private cells(text: string, from: number, last: boolean, within: number): ReadRow | null {
    const { delimiter, newline, strict } = this.dialect;
    const cells: Cell[] = [];
    for (let at = from; ; ) {
      const quoted = text[at] === '"' ? this.quoted(text, at, last, within) : null;
      if (quoted === 'unknown') return null;
      const line = lineEnd(text, at, newline);
      if (text[at] === '"' && quoted === null && strict && !text.slice(at + 1, line).includes('"')) {
        if (line === text.length && !last) return null;
        const problem = 'expected CSV: a quotation mark opens a cell, and none closes it before the next begins';
        return { cells, end: Math.min(line + 1, text.length), problem };
      }
      const separator = quoted ? -1 : text.indexOf(delimiter, at);
      const end = quoted ? quoted.end : separator >= 0 && separator < line ? separator : line;
      if (end === text.length && !last) return null;
      cells.push(quoted ? { text: quoted.text, quoted: true } : { text: text.slice(at, end), quoted: false });
      at = end + 1;
      if (text[end] === delimiter) continue;
      if (newline === '\r') return { cells, end: Math.min(at, text.length) };
      const cell = cells.at(-1)!;
      if (!quoted && cell.text.endsWith('\r')) cell.text = cell.text.slice(0, -1);
      return { cells, end: Math.min(text[end] === '\r' ? at + 1 : at, text.length) };
    }
  }

  /** The quoted cell that opens at `open`, up to behind its closing mark; null for none that is well-formed. */
  private quoted(
    text: string,
    open: number,
    last: boolean,
    within: number,
  ): { text: string; end: number } | 'unknown' | null {
    const { delimiter, newline } = this.dialect;
    for (let at = text.indexOf('"', open + 1); at >= 0 && at < within; at = text.indexOf('"', at + 2)) {
      const next = text[at + 1];
      const undecided = next === undefined || (next === '\r' && newline === '\n' && text[at + 2] === undefined);
      if (undecided && !last) return 'unknown';
      if (next === '"') continue;
      const ends = undecided || next === delimiter || next === newline || text.startsWith('\r\n', at + 1);
      return ends ? { text: text.slice(open + 1, at).replaceAll('""', '"'), end: at + 1 } : null;
    }
    return last || within < text.length || text.length - open > MAX_QUOTED ? null : 'unknown';
  }
}

interface ReadRow {
  cells: Cell[];
  end: number;
  problem?: string;
}

function lineEnd(text: string, from: number, newline: string): number {
  const end = text.indexOf(newline, from);
  return end < 0 ? text.length : end;
}

/** Line ends between two places. */
function linesIn(text: string, from: number, to: number, newline: string): number {
  let lines = 0;
  for (let at = text.indexOf(newline, from); at >= 0 && at < to; at = text.indexOf(newline, at + 1)) lines++;
  return lines;
}
