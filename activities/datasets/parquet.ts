/**
 * Rows of a Parquet file, one row group in memory at a time. The decoder trusts what it reads, so each row group is checked
 * first: a file that is cut short, damaged or hostile is refused by name.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { AsyncBuffer, Compressors, ParquetParsers, SchemaElement } from 'hyparquet';
import type { DataFile } from './data-files.js';
import { valueOfJson } from './json-text.js';
import { checkedFooter, checkRowGroup } from './parquet-checks.js';
import { DataError, type RawRecord } from './records.js';

/** The rows, as JSON would have them. Throws DataError for a file that is not whole. */
export async function* readParquet({ path, name }: DataFile): AsyncGenerator<RawRecord> {
  const handle = await open(path, 'r');
  try {
    yield* rows(handle, name);
  } catch (error) {
    // What the system says of the disk is no fault of the data.
    if (error instanceof DataError || (error as NodeJS.ErrnoException).syscall) throw error;
    throw new DataError(`${name}: expected a whole Parquet file: ${(error as Error).message}`);
  } finally {
    await handle.close();
  }
}

async function* rows(handle: FileHandle, name: string): AsyncGenerator<RawRecord> {
  const { parquetReadObjects } = await import('hyparquet');
  const file = bufferOf(handle, (await handle.stat()).size);
  const metadata = await checkedFooter(file);
  const compressors = await decompressors();
  const { columns, single } = columnsOf(metadata.schema);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    await checkRowGroup(file, metadata, group, compressors);
    const rowEnd = rowStart + Number(group.num_rows);
    const found = await parquetReadObjects({
      file,
      metadata,
      columns,
      rowStart,
      rowEnd,
      compressors,
      parsers: PARSERS,
    });
    if (found.length !== rowEnd - rowStart)
      throw new Error(`${found.length} rows where ${rowEnd - rowStart} should be`);
    for (const [k, row] of found.entries()) {
      const index = rowStart + k;
      yield { where: `${name}: row ${index}`, index, value: jsonOf(withShortest(row, single)) };
    }
    rowStart = rowEnd;
  }
}

const UTF8 = new TextDecoder();

/** In a column of JSON the library `datasets` leaves texts that begin like another value as they are: 007. */
const PARSERS: Partial<ParquetParsers> = {
  jsonFromBytes: bytes => {
    if (!bytes) return bytes;
    const text = UTF8.decode(bytes);
    try {
      return valueOfJson(text);
    } catch {
      return text;
    }
  },
};

/** Names of the columns that can be read (those of intervals cannot), and of those among them that hold 32-bit floats alone. */
function columnsOf(schema: readonly SchemaElement[]): { columns: string[]; single: string[] } {
  const columns: string[] = [];
  const single: string[] = [];
  for (let at = 1; at < schema.length; ) {
    const { name } = schema[at]!;
    const types: (string | undefined)[] = [];
    let readable = true;
    for (let left = 1; left > 0 && at < schema.length; left--, at++) {
      const { type, num_children: children = 0, converted_type: converted } = schema[at]!;
      if (children === 0) types.push(type);
      if (converted === 'INTERVAL') readable = false;
      left += children;
    }
    if (readable) columns.push(name);
    if (readable && types.every(type => type === 'FLOAT')) single.push(name);
  }
  return { columns, single };
}

/** 32-bit floats as the shortest decimal that names them: 0.1, not the double beside it. */
function withShortest(row: Record<string, unknown>, single: readonly string[]): Record<string, unknown> {
  const shortest = (value: unknown): unknown => {
    if (Array.isArray(value) || value instanceof Float32Array) return Array.from(value as ArrayLike<unknown>, shortest);
    if (typeof value !== 'number' || !Number.isFinite(value)) return value;
    let digits = 6;
    while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
    return Number(value.toPrecision(digits));
  };
  for (const name of single) row[name] = shortest(row[name]);
  return row;
}

/** The file as the decoder reads it; nothing outside of it can be asked for. */
function bufferOf(handle: FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      if (!(start >= 0 && start <= end && end <= byteLength)) {
        throw new Error(`bytes ${start} to ${end} are asked for, of ${byteLength}`);
      }
      const bytes = new ArrayBuffer(end - start);
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesRead } = await handle.read(new Uint8Array(bytes, done), { position: start + done });
        if (bytesRead === 0) throw new Error('it became shorter while it was read');
        done += bytesRead;
      }
      return bytes;
    },
  };
}

/** Each gives as many bytes as the page should have, and fails where there would be more. */
async function decompressors(): Promise<Compressors> {
  const { compressors, decompressZstd } = await import('hyparquet-compressors');
  const all: Compressors = {
    SNAPPY: (input, length) => {
      if (snappyLength(input) !== length) throw new Error('a Snappy page of another length than its header says');
      return compressors.SNAPPY!(input, length);
    },
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(length, 1) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
    ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
    LZ4: compressors.LZ4!,
    LZ4_RAW: compressors.LZ4_RAW!,
  };
  // Of nothing but nulls a page holds no bytes, which the LZ4 of the library takes for a fault.
  return Object.fromEntries(
    Object.entries(all).map(([codec, unpack]) => [
      codec,
      (input, length) => (length === 0 ? new Uint8Array() : unpack(input, length)),
    ]),
  ) satisfies Compressors;
}

/** Snappy's data begins with the length of what they hold, seven bits a byte. */
function snappyLength(input: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    length += (input[i]! & 0x7f) * 2 ** (7 * i);
    if (input[i]! < 0x80) return length;
  }
  return Number.NaN;
}

/**
 * A row as JSON would have it: fields that are null, or no number, are not there, an integer that a number cannot hold is its
 * digits, a point in time its ISO form (a day alone at midnight).
 */
function jsonOf(value: unknown): unknown {
  // The decoder's word for a struct that is null.
  if (value === undefined) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(MIDNIGHT, '');
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<unknown>, jsonOf);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, written]) => {
      const field = jsonOf(written);
      return field === null ? [] : [[name, field]];
    }),
  );
}

const MIDNIGHT = /T00:00:00\.000Z$/;
