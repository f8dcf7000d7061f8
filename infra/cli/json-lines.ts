/** JSON lines in and out: read one by one, written to a temporary name and put in place whole. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { DataError, inWords, linesOf, valueOfJson } from '../../activities/datasets/index.js';
import { EngineRequestError } from '../../activities/engine/protocol/index.js';
import { nearest } from '../../activities/spec/index.js';
import { UserError } from '../user-error.js';

/** A record, and where it stands: "file:line". */
export interface Placed<T> {
  place: string;
  record: T;
}

/**
 * The file's records; blank lines are passed over. `-` is standard input.
 * @throws UserError naming file, line and field
 */
export async function* readLines<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<Placed<T>> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  try {
    for await (const { text, line } of linesOf(utf8(input, path), path)) {
      const place = `${path}:${line}`;
      yield { place, record: parseLine(place, text, schema) };
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError(`${path}: no such file.`);
    if (code === 'EISDIR') throw new UserError(`${path}: is a folder; expected a file of JSON lines.`);
    throw error instanceof DataError ? new UserError(error.message) : error;
  }
}

async function* utf8(input: AsyncIterable<Buffer>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const bytes of input) yield decoder.decode(bytes, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    throw new UserError(`${path}: expected text in UTF-8, found other bytes: save it as UTF-8.`);
  }
}

function parseLine<T>(place: string, line: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = valueOfJson(line);
  } catch (error) {
    throw new UserError(`${place}: not JSON (${(error as Error).message}); expected one object a line.`);
  }
  const parsed = schema.safeParse(value, { error: inWords });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    issue => `${issue.path.join('.') || 'the record'}: ${issue.message}${meant(value, issue.path)}`,
  );
  throw new UserError(`${place}: ${problems.join('; ')}`);
}

/** The field that somebody misspelt, where one is missing. */
function meant(value: unknown, path: PropertyKey[]): string {
  const [name] = path;
  if (path.length !== 1 || typeof name !== 'string' || typeof value !== 'object' || value === null || name in value)
    return '';
  const like = Object.keys(value).find(typed => nearest(typed, [name]) !== undefined);
  return like === undefined ? '' : `: there is ${JSON.stringify(like)}, did you mean ${JSON.stringify(name)}?`;
}

/** What is made of a record; where it is refused, by its place. */
export async function placed<T>(place: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refused = error instanceof UserError || (error instanceof EngineRequestError && error.code === 'bad-request');
    throw refused ? new UserError(`${place}: ${error.message}`) : error;
  }
}

/** Records in lots of `size`, the last one shorter. */
export async function* inLots<T>(records: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let lot: T[] = [];
  for await (const record of records) {
    lot.push(record);
    if (lot.length < size) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

/** Writes what `produce` yields, a line each. A file appears only when all of it is written; `-` is standard output. */
export async function writeLines(path: string, produce: AsyncIterable<unknown>): Promise<void> {
  if (path === '-') {
    for await (const record of produce) process.stdout.write(`${JSON.stringify(record)}\n`);
    return;
  }
  const partial = `${path}.${process.pid}.partial`;
  try {
    await pipeline(textOf(produce), createWriteStream(partial, { flags: 'wx' }));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'open' || !(error as NodeJS.ErrnoException).path?.startsWith(path)) throw error;
    throw new UserError(`${path}: cannot be written (${code}); expected a file in a folder that is there.`);
  }
}

async function* textOf(records: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const record of records) yield `${JSON.stringify(record)}\n`;
}
