/** What a request brings along: JSON, and not much of it. */
import type { IncomingMessage } from 'node:http';
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
