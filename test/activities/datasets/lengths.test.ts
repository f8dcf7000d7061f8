import { lengthsOf } from '../../../activities/datasets/lengths.js';

test('bins are two to a doubling, join without a gap, and hold every length once', () => {
  const lengths = Array.from({ length: 500 }, (_, k) => 1 + ((k * k * 7) % 5000));
  const { bins, count } = lengthsOf(lengths)!;
  expect(bins.map(({ upTo }) => upTo)).toEqual(
    [...[1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]]
      .concat([768, 1024, 1536, 2048, 3072, 4096, 6144])
      .filter(edge => edge >= bins[0]!.upTo && edge <= bins.at(-1)!.upTo),
  );
  bins.slice(1).forEach((bin, k) => {
    expect(bin.above).toBe(bins[k]!.upTo);
  });
  for (const { above, upTo, count } of bins) {
    expect(count).toBe(lengths.filter(length => above < length && length <= upTo).length);
  }
  expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(count);
});

test('lengths at the edges belong below them', () => {
  expect(lengthsOf([64, 65, 96, 97, 128])!.bins).toEqual([
    { above: 48, upTo: 64, count: 1 },
    { above: 64, upTo: 96, count: 2 },
    { above: 96, upTo: 128, count: 2 },
  ]);
  expect(lengthsOf([3])).toEqual({
    count: 1,
    least: 3,
    median: 3,
    mean: 3,
    most: 3,
    bins: [{ above: 2, upTo: 3, count: 1 }],
  });
  expect(lengthsOf([])).toBeNull();
});
