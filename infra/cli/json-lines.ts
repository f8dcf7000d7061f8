/** JSON lines in and out: read one by one, written to a temporary name and put in place whole. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { UserError } from '../user-error.js';

/**
 * The file's records; blank lines are passed over. `-` is standard input.
 * @throws UserError naming file, line and field
 */
export async function* readLines<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<T> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') yield parseLine(`${path}:${number}`, line, schema);
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? new UserError(`${path}: no such file.`) : error;
  }
}

function parseLine<T>(place: string, line: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UserError(`${place}: not JSON (${(error as Error).message}); expected one object a line.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `${issue.path.join('.') || 'the record'}: ${issue.message}`);
  throw new UserError(`${place}: ${problems.join('; ')}`);
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
