import { partStarts } from '../../../activities/artifacts/line-parts.js';
import { shardsOf } from '../../../activities/artifacts/shards.js';
import { randomStream } from '../../../activities/engine/random.js';

const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);
const loads = (lengths: number[], shards: number[], of: number) =>
  Array.from({ length: of }, (_, shard) => sum(lengths.filter((_, k) => shards[k] === shard)));

/** The least that the longest shard can have, by trying all ways: an oracle for a few pieces. */
function best(lengths: number[], of: number): number {
  const free = new Array<number>(of).fill(0);
  const place = (k: number): number => {
    if (k === lengths.length) return Math.max(...free);
    return Math.min(
      ...free.map((_, shard) => {
        free[shard]! += lengths[k]!;
        const found = place(k + 1);
        free[shard]! -= lengths[k]!;
        return found;
      }),
    );
  };
  return place(0);
}

describe('shards of pieces', () => {
  test.each([
    [2, 7],
    [3, 7],
    [4, 6],
  ])('%i of %i pieces take at most a third more than the best division (Graham 1969)', (of, pieces) => {
    const random = randomStream('shards', of);
    for (let tries = 0; tries < 30; tries++) {
      const lengths = Array.from({ length: pieces }, () => 1 + Math.floor(1000 * random.uniform()));
      const longest = Math.max(...loads(lengths, shardsOf(lengths, of), of));
      expect(longest).toBeLessThanOrEqual((4 / 3 - 1 / (3 * of)) * best(lengths, of) + 1e-9);
    }
  });

  test('none is without a piece where there are pieces enough', () => {
    for (const count of [1, 2, 5]) expect(new Set(shardsOf([3, 1, 1, 1, 1], count)).size).toBe(count);
  });

  test('pieces of one length are dealt evenly, and always in the same way', () => {
    expect(shardsOf([5, 5, 5, 5, 5, 5], 3)).toEqual([0, 1, 2, 0, 1, 2]);
  });
});

describe('parts for shards', () => {
  const bounds = { items: 64, tokens: 1000 };

  test('of even items are as many as the shards, and even', () => {
    expect(partStarts(new Array(16).fill(10), bounds, 4)).toEqual([0, 4, 8, 12]);
    expect(partStarts(new Array(200).fill(1), bounds, 4)).toEqual([0, 50, 100, 150]);
  });

  test('of uneven ones have about the same tokens each', () => {
    const tokens = Array.from({ length: 40 }, (_, k) => 10 + k);
    const starts = partStarts(tokens, { items: 64, tokens: 1e6 }, 4);
    const parts = starts.map((from, k) => sum(tokens.slice(from, starts[k + 1])));
    expect(parts).toHaveLength(4);
    for (const part of parts) expect(Math.abs(part - sum(tokens) / 4)).toBeLessThan(50);
  });

  test('keep to what a part may hold', () => {
    expect(partStarts(new Array(200).fill(1), { items: 20, tokens: 1000 }, 2)).toHaveLength(10);
    expect(partStarts([700, 700, 700, 700], bounds, 2)).toEqual([0, 1, 2, 3]);
  });

  test('without shards are as they were', () => {
    expect(partStarts([400, 400, 400, 10], bounds)).toEqual([0, 2]);
    expect(partStarts([5000, 1], bounds)).toEqual([0, 1]);
    expect(partStarts([], bounds)).toEqual([]);
  });
});
