/** What a request brings along: JSON, and not much of it. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { UserError } from '../user-error.js';
import { BadRequestError } from './errors.js';

const MOST_BYTES = 64 * 1024;

/** Null where there is none. @throws BadRequestError for what is too long or no JSON */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new BadRequestError('expected content of the type application/json');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new BadRequestError(`expected at most ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequestError('expected JSON');
  }
}

/** What was asked for, as it should be. @throws UserError saying what is not */
export function inputOf<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw new UserError(`${first!.path.join('.') || 'the input'}: ${first!.message}`);
}
