/** Bytes within a Parquet page, gone through without being decoded: runs of values, and their lengths. */

/** A run may reach beyond the values there are by what writers pad. */
const MAX_PADDING = 2 ** 12;

export class Refusal extends Error {}

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Refusal(otherwise);
}

/** Bytes of a page, among them runs of equal values, and of values packed bit by bit (Parquet's RLE / bit-packing hybrid). */
export class Runs {
  private offset = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get atEnd(): boolean {
    return this.offset >= this.bytes.length;
  }

  byte(): number {
    expect(!this.atEnd, 'a page that ends too early');
    return this.bytes[this.offset++]!;
  }

  uint32(): number {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24;
  }

  /** The next `length` bytes. */
  part(length: number): Runs {
    expect(this.offset + length <= this.bytes.length, `a page with a part of ${length} bytes`);
    this.offset += length;
    return new Runs(this.bytes.subarray(this.offset - length, this.offset));
  }

  /** As many of the next bytes as there are, `length` at most. */
  upTo(length: number): Uint8Array {
    const bytes = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += bytes.length;
    return bytes;
  }

  rest(): Uint8Array {
    return this.bytes.subarray(this.offset);
  }

  /** A number of seven bits a byte, of `most` bytes at most. */
  varint(most = 5): number {
    let value = 0;
    for (let i = 0; i < most; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Refusal('a number that is too long');
  }

  /** Goes through `total` values of `width` bits. @returns how many of them are `wanted`, where that is asked. */
  count(width: number, total: number, wanted = -1): number {
    let seen = 0;
    let found = 0;
    while (seen < total) {
      const header = this.varint();
      const run = header % 2 === 0 ? header / 2 : ((header - 1) / 2) * 8;
      expect(run <= total - seen + MAX_PADDING, `a run of ${run} values where ${total - seen} are left`);
      const counted = Math.min(run, total - seen);
      if (header % 2 === 0) {
        let value = 0;
        for (let i = 0; i < width; i += 8) value += this.byte() * 2 ** i;
        if (value === wanted) found += counted;
      } else {
        const start = this.offset;
        this.offset += (run * width) / 8;
        expect(start + Math.ceil((counted * width) / 8) <= this.bytes.length, 'a page that ends within a run');
        if (wanted >= 0) found += packed(this.bytes, start, width, counted, wanted);
      }
      seen += run;
    }
    return found;
  }
}

/** How many of the values packed from `start` on are `wanted`. */
function packed(bytes: Uint8Array, start: number, width: number, count: number, wanted: number): number {
  let found = 0;
  for (let k = 0; k < count; k++) if (bitsAt(bytes, start * 8 + k * width, width) === wanted) found++;
  return found;
}

/** The number of `width` bits that begins at a bit. */
export function bitsAt(bytes: Uint8Array, from: number, width: number): number {
  let value = 0;
  for (let bit = 0; bit < width; bit++) {
    const at = from + bit;
    if ((bytes[at >> 3]! >> (at & 7)) & 1) value += 2 ** bit;
  }
  return value;
}
