/**
 * Records of text files, plain or gzipped, one at a time: JSON lines, values of JSON over several lines, an array of them
 * streamed without holding the file in memory, and CSV with a header line.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Cell, CsvSplitter, dialectOf, type Row } from './csv-rows.js';
import type { DataFile } from './data-files.js';
import { Splitter } from './json-splitter.js';
import { valueOfJson, withoutNulls } from './json-text.js';
import { DataError, type RawRecord } from './records.js';

export interface TextLimits {
  /** Characters of a record, which is held in memory. */
  record: number;
  /** A gzip file may unpack to so many times its size: data that is written to be read packs to a tenth, perhaps. */
  times: number;
  /** Bytes that any may unpack to. */
  from: number;
}

const LIMITS: TextLimits = { record: 2 ** 28, times: 100, from: 2 ** 26 };

export interface TextFile extends DataFile {
  gzipped: boolean;
  /** Told by the byte order mark; "Unicode" to Windows is UTF-16. */
  encoding: 'utf-8' | 'utf-16le';
}

/** One object a line, ended by "\n" alone: JSON's strings may hold every other separator. Blank lines are passed over. */
export async function* jsonLines(file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> {
  let index = 0;
  for await (const { text, line } of linesOf(characters(file, limits), file.name, limits)) {
    // Written by hand, and by programs that make an array by lines.
    yield parsed(text.replace(/,$/, ''), { where: `${file.name}: line ${line}`, index: index++ });
  }
}

/** The lines of a text, trimmed, with their numbers from 1; those with nothing in them are left out. */
export async function* linesOf(
  pieces: AsyncIterable<string>,
  name: string,
  limits = LIMITS,
): AsyncGenerator<{ text: string; line: number }> {
  let line = 0;
  let text = '';
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
      const whole = (text + piece.slice(start, end)).trim();
      text = '';
      line++;
      start = end + 1;
      if (whole !== '') yield { text: whole, line };
    }
    text += piece.slice(start);
    bounded(text, name, limits);
  }
  if (text.trim() !== '') yield { text: text.trim(), line: line + 1 };
}

/** The elements of the file's one JSON array. Throws DataError where it is no array or is cut short. */
export const jsonArray = (file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> =>
  elements(file, 'array', limits);

/** JSON values one after another, over as many lines as they like. */
export const jsonValues = (file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> =>
  elements(file, 'values', limits);

async function* elements(file: TextFile, container: 'array' | 'values', limits: TextLimits): AsyncGenerator<RawRecord> {
  const splitter = new Splitter(file.name, container);
  let index = 0;
  const record = ({ text, line }: { text: string; line: number }): RawRecord =>
    parsed(text, { where: `${file.name}: record ${index} (line ${line})`, index: index++ });
  for await (const chunk of characters(file, limits)) {
    for (const element of splitter.push(chunk)) yield record(element);
    bounded(splitter.unfinished, file.name, limits);
  }
  for (const element of splitter.end()) yield record(element);
}

/** What stands in a cell, out of quotation marks, that has no value: pandas' words beside nothing at all. */
const NO_VALUE = ['NaN', 'nan', 'NaT', '<NA>'];

/**
 * Rows by the header's names; an empty cell is one that is not there, and a name that comes again is told apart by a number.
 * The separator is told by the header, unless the file's name says tabs.
 */
export async function* csvRows(file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> {
  let index = 0;
  let header: string[] | null = null;
  for await (const { cells, line, problem } of rowsOf(file, limits)) {
    if (header === null) {
      if (problem !== undefined) throw new DataError(`${file.name}: line ${line}: ${problem}`);
      header = namesOf(cells);
      continue;
    }
    const place = { where: `${file.name}: record ${index} (line ${line})`, index: index++ };
    if (problem !== undefined) yield { ...place, problem };
    else if (cells.length !== header.length) {
      const found = `found ${cells.length}`;
      yield { ...place, problem: `expected CSV: ${header.length} cells, as the header has, ${found}` };
    } else yield { ...place, value: rowOf(header, cells) };
  }
}

async function* rowsOf(file: TextFile, limits: TextLimits): AsyncGenerator<Row> {
  const tabs = /\.tsv(\.gz)?$/.test(file.name);
  let splitter: CsvSplitter | null = null;
  let start = '';
  function* from(piece: string, last: boolean): Generator<Row> {
    for (const row of splitter!.push(piece, last)) {
      splitter!.columns ??= row.cells.length;
      yield row;
    }
    bounded(splitter!.unfinished, file.name, limits);
  }
  for await (const piece of characters(file, limits)) {
    if (splitter) yield* from(piece, false);
    else {
      start += piece;
      bounded(start, file.name, limits);
      if (!/[\n\r]./s.test(start)) continue;
      // Spreadsheets take a first line that names the separator.
      const named = /^sep=(.)\r?\n/i.exec(start);
      splitter = new CsvSplitter({ ...dialectOf(start, tabs), ...(named && { delimiter: named[1]! }) }, named ? 2 : 1);
      yield* from(start.slice(named?.[0].length ?? 0), false);
    }
  }
  if (!splitter) {
    splitter = new CsvSplitter(dialectOf(start, tabs));
    yield* from(start, false);
  }
  yield* from('', true);
}

function namesOf(cells: readonly Cell[]): string[] {
  const names: string[] = [];
  for (const { text } of cells) {
    const name = text.trim();
    let again = 0;
    while (names.includes(again === 0 ? name : `${name}.${again}`)) again++;
    names.push(again === 0 ? name : `${name}.${again}`);
  }
  return names;
}

function rowOf(names: readonly string[], cells: readonly Cell[]): Record<string, string> {
  const present = cells.map(({ text, quoted }) => text !== '' && (quoted || !NO_VALUE.includes(text)));
  return Object.fromEntries(cells.flatMap(({ text }, k) => (present[k] ? [[names[k], text]] : [])));
}

/** The text in pieces. Throws DataError for what is not UTF-8, no whole gzip file, or one that unpacks beyond measure. */
export async function* characters(
  { path, name, gzipped, encoding }: TextFile,
  limits: TextLimits = LIMITS,
): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const bytes: AsyncIterable<Buffer> = gzipped ? pipeline(file, createGunzip(), () => {}) : file;
  let done = 0;
  try {
    for await (const chunk of bytes) {
      yield decoder.decode(chunk, { stream: true });
      done += chunk.length;
      if (gzipped && done > limits.from && done > limits.times * file.bytesRead) {
        throw new DataError(
          `${name}: expected a gzip file that unpacks to at most ${limits.times} times its size: if it is meant, unpack it first`,
        );
      }
    }
    yield decoder.decode();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new DataError(
        `${name}: expected text in UTF-8, found other bytes after about ${done} bytes of it: save it as UTF-8 ("CSV UTF-8" in a spreadsheet)`,
      );
    }
    if (code?.startsWith('Z_')) throw new DataError(`${name}: expected a whole gzip file: ${message}`);
    throw error;
  }
}

function bounded(text: string, name: string, limits: TextLimits): void {
  if (text.length <= limits.record) return;
  throw new DataError(`${name}: expected records of at most ${limits.record} characters, found a longer one`);
}

function parsed(text: string, place: { where: string; index: number }): RawRecord {
  try {
    return { ...place, value: withoutNulls(valueOfJson(text)) };
  } catch (error) {
    if (error instanceof RangeError) return { ...place, problem: 'expected a record, found one nested too deeply' };
    return { ...place, problem: `expected JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
