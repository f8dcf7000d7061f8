/**
 * Files on their way out of a bucket: in pieces, several at once, written where they belong. Beside the file a journal says
 * which are there, so that whoever has both goes on where another stopped.
 */
import { createHash } from 'node:crypto';
import { appendFile, type FileHandle, open, readFile, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { inParallel } from '../in-parallel.js';
import { Buffers } from './buffers.js';
import { isMissing, passes, statusOf, translated } from './failures.js';
import { HashInOrder } from './hash-in-order.js';
import { type Piece, planOf } from './pieces.js';
import { pause, type Requests, TRIES } from './requests.js';

export interface Incoming {
  key: string;
  /** Where it goes. */
  path: string;
  sha256: string;
  bytes: number;
}

export const journalOf = (path: string): string => `${path}.pieces`;

export class Downloads {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /**
   * @returns the hash of what was written to the file's path; null if there is no such object
   * @throws StoreAwayError, which leaves what has come, and its journal, for the next time
   */
  async fetch(file: Incoming): Promise<string | null> {
    const resumed = (await readJournal(file.path)).size > 0;
    const found = await this.#fetchMissing(file);
    if (found === null) return null;
    // What another left may not be what it says.
    if (found !== file.sha256 && resumed) {
      await rm(journalOf(file.path), { force: true });
      return this.fetch(file);
    }
    await rm(journalOf(file.path), { force: true });
    return found;
  }

  /** SHA-256 of an object's bytes, which are kept nowhere; null if there is none. */
  async hash(key: string): Promise<string | null> {
    const hash = createHash('sha256');
    let at = 0;
    for (let tries = 1; ; tries++) {
      const before = at;
      try {
        for await (const bytes of await this.#body(key, at, '')) {
          hash.update(bytes);
          at += bytes.length;
        }
        return hash.digest('hex');
      } catch (error) {
        if (isMissing(error)) return null;
        // It broke off behind the last byte.
        if (at > 0 && isBeyondEnd(error)) return hash.digest('hex');
        if (at > before) tries = 1;
        if (tries >= TRIES || !passes(error)) throw translated(this.#requests.root, `reading ${key}`, error);
        await pause(tries);
      }
    }
  }

  /** The hash of all pieces in their order; null if there is no such object. */
  async #fetchMissing(file: Incoming): Promise<string | null> {
    const { pieces, concurrency } = planOf(file.bytes);
    const there = await readJournal(file.path);
    const handle = await open(file.path, there.size > 0 ? 'r+' : 'w+');
    try {
      // Of what another left nothing may lie behind the last piece.
      if (there.size > 0) await handle.truncate(file.bytes);
      const hash = new HashInOrder(handle, pieces);
      for (const number of there) hash.add(number);
      let isThere = true;
      const missing = pieces.filter(({ number }) => !there.has(number));
      const buffers = new Buffers(pieces[0]?.bytes ?? 0);
      await inParallel(missing, concurrency, async piece => {
        const came = await buffers.lend(buffer => this.#fetchPiece(file, handle, piece, buffer));
        if (came) hash.add(piece.number);
        else isThere = false;
      });
      return isThere ? await hash.digest() : null;
    } finally {
      await handle.close();
    }
  }

  async #fetchPiece({ key, path }: Incoming, handle: FileHandle, piece: Piece, buffer: Buffer): Promise<boolean> {
    const { number, start, bytes } = piece;
    // As a whole: a write for each packet would cost more than all else.
    const length = await this.#requests.again(`reading piece ${number} of ${key}`, async () => {
      let at = 0;
      try {
        for await (const part of await this.#body(key, start, start + bytes - 1))
          at += part.copy(buffer, at, 0, bytes - at);
      } catch (error) {
        // Of an object that lost its end: the hash tells.
        if (!isBeyondEnd(error)) throw error;
      }
      return at;
    });
    if (length === null) return false;
    await handle.write(buffer, 0, length, start);
    await appendFile(journalOf(path), `${number}\n`);
    return true;
  }

  async #body(key: string, start: number, end: number | ''): Promise<AsyncIterable<Buffer>> {
    const isPart = start > 0 || end !== '';
    const range = isPart ? { Range: `bytes=${start}-${end}` } : {};
    const { Body, ContentRange } = await this.#requests.client.send(
      new GetObjectCommand({ ...this.#requests.at(key), ...range }),
    );
    if (isPart && !ContentRange?.startsWith(`bytes ${start}-`)) {
      (Body as Readable).destroy();
      throw new Error(`${this.#requests.root}: reading ${key}: the server ignores which bytes are asked for`);
    }
    return Body as Readable;
  }
}

const isBeyondEnd = (error: unknown): boolean => statusOf(error) === 416;

async function readJournal(path: string): Promise<Set<number>> {
  const text = await readFile(journalOf(path), 'utf8').catch(() => '');
  // The last line may have broken off.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return new Set(whole.split('\n').filter(Boolean).map(Number));
}
