/** Records of a data file in whichever container it comes: told apart by its first bytes, CSV by its ending. */
import { open } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import type { DataFile } from './data-files.js';
import { readParquet } from './parquet.js';
import { DataError, type RawRecord } from './records.js';
import { csvRows, jsonArray, jsonLines, jsonObject, type TextFile } from './text-records.js';

const BEGINNINGS = { gzip: Buffer.from([0x1f, 0x8b]), parquet: Buffer.from('PAR1'), zip: Buffer.from('PK\x03\x04') };
/** Enough to get past a byte order mark and blank lines. */
const LOOKED_AT = 4096;

/**
 * JSON array, JSON lines, Parquet or CSV; the text ones may be gzipped.
 * @param keyed a JSON object in a file ending in `.json` holds the records by name, and is not the first of its lines
 * @throws DataError for a file of another kind, or cut short; what is wrong with one record alone is told in the record
 */
export async function* readRecords(file: DataFile, { keyed = false } = {}): AsyncGenerator<RawRecord> {
  const start = await beginning(file.path);
  const is = (kind: keyof typeof BEGINNINGS) => start.subarray(0, BEGINNINGS[kind].length).equals(BEGINNINGS[kind]);
  const promised = (ending: string, kind: keyof typeof BEGINNINGS) => {
    if (file.name.endsWith(ending) && !is(kind)) {
      throw new DataError(`${file.name}: expected a ${kind} file, as it is called; it does not begin like one`);
    }
  };
  promised('.parquet', 'parquet');
  promised('.gz', 'gzip');
  if (is('zip')) throw new DataError(`${file.name}: expected a data file, found a zip archive: unpack it first`);
  if (is('parquet')) {
    yield* readParquet(file);
    return;
  }
  const text: TextFile = { ...file, gzipped: is('gzip') };
  if (/\.[ct]sv(\.gz)?$/.test(file.name)) yield* csvRows(text);
  else {
    const first = firstLetter(text.gzipped ? unzipped(start, file) : start.toString('utf8'));
    if (first === '[') yield* jsonArray(text);
    else if (keyed && first === '{' && /\.json(\.gz)?$/.test(file.name)) yield* jsonObject(text);
    else yield* jsonLines(text);
  }
}

/** Letter by letter, since it may be behind as many blanks as a file unpacks to. */
function firstLetter(text: string): string | undefined {
  for (const letter of text) if (letter !== '\uFEFF' && letter.trim() !== '') return letter;
  return undefined;
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
function unzipped(start: Buffer, { name }: DataFile): string {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH }).toString('utf8');
  } catch (error) {
    throw new DataError(`${name}: expected a whole gzip file: ${(error as Error).message}`);
  }
}
