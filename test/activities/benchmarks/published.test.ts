import { BENCHMARKS, PAPER_BENCHMARKS } from '../../../activities/benchmarks/benchmarks.js';
import { LATER_ROWS, PUBLISHED_ROWS } from '../../../activities/benchmarks/published.js';

describe('published rows', () => {
  test.each(PUBLISHED_ROWS.map(row => [row.label, row] as const))(
    '%s: the printed mean is that of its scores',
    (_, row) => {
      const scores = PAPER_BENCHMARKS.map(benchmark => row.cells[benchmark]!.score);
      const mean = scores.reduce((sum, score) => sum + score, 0) / 7;
      // Printed to one decimal, from scores printed to one decimal.
      expect(Math.abs(mean - row.mean!)).toBeLessThanOrEqual(0.1);
    },
  );

  test('as many as the paper has, on 824 and six times 200 items', () => {
    expect(PUBLISHED_ROWS.map(row => row.label)).toHaveLength(11);
    const items = PAPER_BENCHMARKS.map(benchmark => PUBLISHED_ROWS[0]!.cells[benchmark]!.items);
    expect(items).toEqual([200, 824, 200, 200, 200, 200, 200]);
    expect(PAPER_BENCHMARKS.map(benchmark => BENCHMARKS[benchmark].paperItems)).toEqual(items);
    expect(PUBLISHED_ROWS.at(-1)).toMatchObject({
      label: 'QwenLong-L1-32B',
      cells: { frames: { score: 70.1 } },
      mean: 70.7,
    });
  });
});

test('the later table has eight models on six columns, without intervals', () => {
  expect(LATER_ROWS).toHaveLength(8);
  for (const { cells, protocol } of LATER_ROWS) {
    expect(protocol).toBe('later');
    expect(Object.values(cells).map(({ low, items }) => [low, items])).toEqual(Array(6).fill([Number.NaN, 0]));
  }
  expect(LATER_ROWS.find(({ label }) => label === 'QwenLong-L1.5-30B-A3B')!.cells.mrcr!.score).toBe(83);
});
