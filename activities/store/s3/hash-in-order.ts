/** SHA-256 of a file whose pieces come in any order: each is read and hashed as soon as all before it have come. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Piece } from './pieces.js';

/** At a time, so that whatever else is under way goes on. */
const READ_BYTES = 1 << 20;

export class HashInOrder {
  readonly #hash = createHash('sha256');
  readonly #there = new Set<number>();
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #hashed = 0;
  #advancing: Promise<void> = Promise.resolve();

  /** @param pieces of the whole file, in order, numbered from 1 */
  constructor(
    readonly handle: FileHandle,
    readonly pieces: readonly Piece[],
  ) {}

  /** A piece that lies in the file. What goes wrong with it is thrown by `digest`. */
  add(number: number): void {
    this.#there.add(number);
    this.#advancing = this.#advancing.then(() => this.#advance());
    this.#advancing.catch(() => {});
  }

  /** Once all pieces were added. */
  async digest(): Promise<string> {
    await this.#advancing;
    return this.#hash.digest('hex');
  }

  async #advance(): Promise<void> {
    for (let piece = this.pieces[this.#hashed]; piece && this.#there.has(piece.number); ) {
      for (let at = 0; at < piece.bytes; ) {
        const wanted = Math.min(READ_BYTES, piece.bytes - at);
        const { bytesRead } = await this.handle.read(this.#buffer, 0, wanted, piece.start + at);
        if (bytesRead === 0) break;
        this.#hash.update(this.#buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      piece = this.pieces[++this.#hashed];
    }
  }
}
