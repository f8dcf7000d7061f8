/** Records of a data file in whichever container it comes: told apart by how it begins, CSV by its ending. */
import { open } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import type { DataFile } from './data-files.js';
import { recordsOfObject } from './json-object.js';
import { readParquet } from './parquet.js';
import { DataError, type RawRecord } from './records.js';
import { csvRows, jsonArray, jsonLines, jsonValues, type TextFile } from './text-records.js';

const BEGINNINGS = {
  gzip: Buffer.from([0x1f, 0x8b]),
  parquet: Buffer.from('PAR1'),
  zip: Buffer.from('PK\x03\x04'),
  arrow: Buffer.from('ARROW1'),
  utf16: Buffer.from([0xff, 0xfe]),
};
/** Enough to get past a byte order mark and blank lines. */
const LOOKED_AT = 4096;

/**
 * JSON in any of its arrangements, Parquet or CSV; the text ones may be gzipped.
 * @param fields names of fields that a record has: they tell a table of columns from records by name
 * @throws DataError for a file of another kind, or cut short; what is wrong with one record alone is told in the record
 */
export async function* readRecords(file: DataFile, fields: readonly string[] = []): AsyncGenerator<RawRecord> {
  const start = await beginning(file.path);
  const is = (kind: keyof typeof BEGINNINGS) => beginsAs(start, kind);
  const promised = (ending: string, kind: keyof typeof BEGINNINGS) => {
    if (file.name.endsWith(ending) && !is(kind)) {
      throw new DataError(`${file.name}: expected a ${kind} file, as it is called; it does not begin like one`);
    }
  };
  promised('.parquet', 'parquet');
  promised('.gz', 'gzip');
  if (is('zip')) throw new DataError(`${file.name}: expected a data file, found ${zipKind(file.name)}`);
  if (is('arrow')) throw new DataError(`${file.name}: expected a data file, found an Arrow file: write it as Parquet`);
  if (is('parquet')) {
    yield* readParquet(file);
    return;
  }
  const plain = is('gzip') ? unzipped(start, file) : start;
  const encoding = beginsAs(plain, 'utf16') ? 'utf-16le' : 'utf-8';
  const text: TextFile = { ...file, gzipped: is('gzip'), encoding };
  if (/\.[ct]sv(\.gz)?$/.test(file.name)) yield* csvRows(text);
  else {
    const letters = new TextDecoder(encoding).decode(plain);
    if (firstLetter(letters) === '[') yield* jsonArray(text);
    else {
      const several = overLines(letters);
      yield* unlessOneObject(several ? jsonValues(text) : jsonLines(text), file.name, fields, several);
    }
  }
}

const beginsAs = (bytes: Uint8Array, kind: keyof typeof BEGINNINGS): boolean =>
  BEGINNINGS[kind].equals(bytes.subarray(0, BEGINNINGS[kind].length));

const zipKind = (name: string): string =>
  /\.xls[xmb]$/i.test(name)
    ? 'an Excel workbook: save the sheet as "CSV UTF-8"'
    : 'a zip archive: unpack it first (an Excel workbook: save the sheet as "CSV UTF-8")';

/** Letter by letter, since it may be behind as many blanks as a file unpacks to. */
function firstLetter(text: string): string | undefined {
  for (const letter of text) if (letter !== '\uFEFF' && letter.trim() !== '') return letter;
  return undefined;
}

/**
 * Whether the first record goes on behind its first line: that ends within an object or list, and the next begins with what
 * goes on there rather than with a record. A line that is cut off has a record behind it.
 */
function overLines(text: string): boolean {
  const lines = text.slice(0, LOOKED_AT).replace('\uFEFF', '').split('\n');
  const [first = '', next = ''] = lines.map(line => line.trim()).filter(line => line !== '');
  if (next === '' || !first.startsWith('{')) return false;
  return /[[{:]$/.test(first) || (/[,"\d\]}el]$/.test(first) && /^["}\]]/.test(next));
}

/** A file with one object may hold all of its records there. @param whole it does where that is not JSON, too: nothing can be read */
async function* unlessOneObject(
  records: AsyncIterable<RawRecord>,
  file: string,
  fields: readonly string[],
  whole: boolean,
): AsyncGenerator<RawRecord> {
  let first: RawRecord | null = null;
  let several = false;
  for await (const record of records) {
    if (first === null) first = record;
    else {
      if (!several) yield first;
      several = true;
      yield record;
    }
  }
  if (first === null || several) return;
  if (first.problem !== undefined && whole) throw new DataError(`${first.where}: ${first.problem}`);
  if (first.problem !== undefined) yield first;
  else yield* recordsOfObject(first.value, { file, where: first.where, fields });
}

async function beginning(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What the first bytes of a gzip file hold. */
function unzipped(start: Buffer, { name }: DataFile): Buffer {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw new DataError(`${name}: expected a whole gzip file: ${(error as Error).message}`);
  }
}
