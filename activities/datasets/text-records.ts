/**
 * Records of text files, plain or gzipped, one at a time: JSON lines, one JSON array or object streamed without holding
 * the file in memory, and CSV with a header line.
 */
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse as parseCsv } from 'csv-parse';
import type { DataFile } from './data-files.js';
import { Splitter } from './json-splitter.js';
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
}

/** One object a line, ended by "\n" alone: JSON's strings may hold every other separator. Blank lines are passed over. */
export async function* jsonLines(file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> {
  let line = 0;
  let index = 0;
  let text = '';
  const record = (): RawRecord | null => {
    line++;
    const value = text.trim();
    text = '';
    return value === '' ? null : parsed(value, { where: `${file.name}: line ${line}`, index: index++ });
  };
  for await (const chunk of characters(file, limits)) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      text += chunk.slice(start, end);
      start = end + 1;
      const found = record();
      if (found) yield found;
    }
    text += chunk.slice(start);
    bounded(text, file, limits);
  }
  const last = record();
  if (last) yield last;
}

/** The elements of the file's one JSON array. Throws DataError where it is no array or is cut short. */
export const jsonArray = (file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> =>
  elements(file, 'array', limits);

/** The members of the file's one JSON object, each a record by its key. */
export async function* jsonObject(file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> {
  for await (const record of elements(file, 'object', limits)) {
    const [member] = record.problem === undefined ? Object.entries(record.value as object) : [];
    const where = member ? `${record.where.slice(0, -1)}, ${JSON.stringify(member[0])})` : record.where;
    yield member ? { where, index: record.index, value: member[1] } : record;
  }
}

async function* elements(file: TextFile, container: 'array' | 'object', limits: TextLimits): AsyncGenerator<RawRecord> {
  const splitter = new Splitter(file.name, container);
  let index = 0;
  for await (const chunk of characters(file, limits)) {
    for (const { text, line } of splitter.push(chunk)) {
      const place = { where: `${file.name}: record ${index} (line ${line})`, index: index++ };
      yield parsed(container === 'array' ? text : `{${text}}`, place);
    }
    bounded(splitter.unfinished, file, limits);
  }
  splitter.end();
}

/** Rows by the header's names; an empty cell is one that is not there. */
export async function* csvRows(file: TextFile, limits = LIMITS): AsyncGenerator<RawRecord> {
  const delimiter = /\.tsv(\.gz)?$/.test(file.name) ? '\t' : ',';
  const parser = parseCsv({
    columns: true,
    delimiter,
    info: true,
    skip_empty_lines: true,
    max_record_size: limits.record,
  });
  pipeline(Readable.from(characters(file, limits)), parser, () => {});
  let index = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      const cells = Object.entries(record).filter(([, cell]) => cell !== '');
      const where = `${file.name}: record ${index} (line ${info.lines})`;
      yield { where, index: index++, value: Object.fromEntries(cells) };
    }
  } catch (error) {
    throw error instanceof CsvError ? new DataError(`${file.name}: expected CSV: ${error.message}`) : error;
  }
}

/** The text in pieces. Throws DataError for what is not UTF-8, no whole gzip file, or one that unpacks beyond measure. */
async function* characters({ path, name, gzipped }: TextFile, limits: TextLimits): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
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
      throw new DataError(`${name}: expected text in UTF-8, found other bytes after about ${done} bytes of it`);
    }
    if (code?.startsWith('Z_')) throw new DataError(`${name}: expected a whole gzip file: ${message}`);
    throw error;
  }
}

function bounded(text: string, { name }: TextFile, limits: TextLimits): void {
  if (text.length <= limits.record) return;
  throw new DataError(`${name}: expected records of at most ${limits.record} characters, found a longer one`);
}

function parsed(text: string, place: { where: string; index: number }): RawRecord {
  try {
    return { ...place, value: JSON.parse(text) };
  } catch (error) {
    return { ...place, problem: `expected JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
