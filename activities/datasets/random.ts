/** Choices that are a function of a key, so that the same spec gives the same data on every machine. */
import { createHash } from 'node:crypto';

/** A stream of whole numbers drawn from SHA-256 of (key, counter): no state to carry, no seed too small. */
export class KeyedRandom {
  private words: Buffer = Buffer.alloc(0);
  private used = 0;
  private block = 0;

  constructor(private readonly key: string) {}

  /** Evenly from 0 … below - 1; `below` from 1 to 2^32. Draws that would favour small numbers are thrown away. */
  below(below: number): number {
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % below;
    }
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.below(from.length)]!;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  private word(): number {
    if (this.used === this.words.length) {
      this.words = createHash('sha256')
        .update(`${this.key}\n${this.block++}`)
        .digest();
      this.used = 0;
    }
    const word = this.words.readUInt32LE(this.used);
    this.used += 4;
    return word;
  }
}
