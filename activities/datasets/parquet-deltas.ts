/** Checks of Parquet's delta encodings, whose block sizes and lengths the decoder takes as they are. */
import { bitsAt, expect, Runs } from './parquet-runs.js';

const MAX_MINIBLOCKS = 2 ** 10;
/** Bytes of a number of 64 bits, seven bits a byte. */
const LONGEST = 10;

/** @param bytes a page's values, `count` of them. */
export function checkDeltas(bytes: Uint8Array, encoding: string, count: number): void {
  if (count === 0) return;
  const runs = new Runs(bytes);
  const first = deltas(runs, count, encoding !== 'DELTA_BINARY_PACKED');
  if (encoding === 'DELTA_BINARY_PACKED') return;
  const suffixes = encoding === 'DELTA_BYTE_ARRAY' ? deltas(runs, count, true) : first;
  const left = runs.rest().length;
  const total = suffixes.reduce((sum, length) => sum + length, 0);
  expect(suffixes.every(length => length >= 0) && total <= left, `texts of ${total} bytes where ${left} are left`);
  if (suffixes === first) return;
  // A text begins with so many bytes of the one before it.
  let before = 0;
  let kept = 0;
  for (const [k, prefix] of first.entries()) {
    expect(prefix >= 0 && prefix <= before, `a text that begins with ${prefix} bytes of one of ${before}`);
    before = prefix + suffixes[k]!;
    kept += before;
  }
  expect(kept <= MAX_TEXT_BYTES, `texts of ${kept} bytes in one page`);
}

const MAX_TEXT_BYTES = 2 ** 29;

/** Goes through `count` numbers; @returns them (of at most 32 bits) where they are `wanted`. */
function deltas(runs: Runs, count: number, wanted: boolean): number[] {
  const block = runs.varint(LONGEST);
  const miniblocks = runs.varint(LONGEST);
  runs.varint(LONGEST);
  const each = block / miniblocks;
  const fits = miniblocks > 0 && miniblocks <= MAX_MINIBLOCKS && each > 0 && Number.isInteger(each / 8);
  expect(fits, `blocks of ${block} numbers in ${miniblocks} parts`);
  let value = zigzag(runs.varint(LONGEST));
  const values = wanted ? [value] : [];
  for (let seen = 1; seen < count; ) {
    const smallest = zigzag(runs.varint(LONGEST));
    const widths = Array.from({ length: miniblocks }, () => runs.byte());
    for (const width of widths) {
      if (seen >= count) break;
      expect(width <= 64, `numbers of ${width} bits`);
      const packed = runs.upTo((each * width) / 8);
      const here = Math.min(each, count - seen);
      expect(packed.length * 8 >= here * width, 'a page that ends within its numbers');
      for (let k = 0; wanted && k < here; k++) {
        value = (value + smallest + bitsAt(packed, k * width, width)) | 0;
        values.push(value);
      }
      seen += here;
    }
  }
  return values;
}

const zigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
