import { estimate } from '../../../activities/benchmarks/statistics/estimate.js';
import type { Comparison } from '../../../activities/contract/index.js';
import {
  type ComparedRow,
  type ComparedSet,
  compareRows,
  isRegression,
} from '../../../activities/evaluation/comparison.js';

/** So many of 40 items right. */
function set(name: string, right: number, over: Partial<ComparedSet> = {}): ComparedSet {
  const share = (k: number) => (k < right ? 1 : 0);
  const items = Array.from({ length: 40 }, (_, k) => k);
  return {
    name,
    items: 'hash',
    scores: items.map(k => ({ id: `i${k}`, reward: 100 * share(k), official: null })),
    reward: { ...estimate(items.map(share)), items: 40 },
    official: null,
    ...over,
  };
}
const row = (label: string, ...sets: ComparedSet[]): ComparedRow => ({ label, sets });
const base = row('base', set('hotpotqa', 10), set('frames', 10));

test('paired on the same items: each set that both have, and their mean', () => {
  const better = row('better', set('hotpotqa', 25), set('frames', 25), set('other', 3));
  const found = compareRows(better, base, 'reward');
  expect(found.map(one => [one.row, one.benchmark, one.kind, one.difference, one.withinNoise])).toEqual([
    ['better', 'hotpotqa', 'paired', 37.5, false],
    ['better', 'frames', 'paired', 37.5, false],
    ['better', 'mean', 'paired', 37.5, false],
  ]);
  expect(compareRows(better, base, 'reward', name => name === 'hotpotqa')).toHaveLength(2);
});

test('on other items, or on none that are known, the two are independent samples', () => {
  const others = row('others', set('hotpotqa', 36, { items: 'another' }), set('frames', 25));
  expect(compareRows(others, base, 'reward').map(({ kind }) => kind)).toEqual(['unpaired', 'paired', 'unpaired']);
  const published = set('hotpotqa', 0, {
    items: null,
    scores: [],
    reward: { score: 90, low: 85, high: 93, items: 200 },
  });
  expect(compareRows(row('paper', published), base, 'reward')).toMatchObject([
    { row: 'paper', benchmark: 'hotpotqa', kind: 'unpaired', difference: 65, items: 200, withinNoise: false },
  ]);
  expect(compareRows(row('paper', published), base, 'official')).toEqual([]);
});

test('items without a score in one of them are left out of the pairs', () => {
  const scores = set('hotpotqa', 40).scores.map((one, k) => (k < 30 ? one : { ...one, reward: null }));
  const [found] = compareRows(row('partly', set('hotpotqa', 40, { scores })), base, 'reward');
  expect(found).toMatchObject({ kind: 'paired', items: 30, difference: (100 * 20) / 30 });
});

describe('a regression', () => {
  const line = (benchmark: string, difference: number, p: number): Comparison => ({
    ...{ row: 'now', baseline: 'before', benchmark, metric: 'reward', kind: 'paired', items: 200 },
    ...{ difference, low: difference - 1, high: difference + 1, p, withinNoise: p > 0.05 },
  });

  test('is a mean that is worse beyond the noise, or a benchmark that is, held to its share of the 5 %', () => {
    expect(isRegression([line('a', -5, 0.01)])).toBe(true);
    expect(isRegression([line('a', -5, 0.2)])).toBe(false);
    expect(isRegression([line('a', 5, 0.01)])).toBe(false);
    const seven = Array.from({ length: 6 }, (_, k) => line(`b${k}`, 0, 1));
    expect(isRegression([line('a', -5, 0.02), ...seven, line('mean', -0.7, 0.3)])).toBe(false);
    expect(isRegression([line('a', -5, 0.005), ...seven, line('mean', -0.7, 0.3)])).toBe(true);
    expect(isRegression([line('a', -5, 0.3), ...seven, line('mean', -2, 0.03)])).toBe(true);
  });

  test('is none without a firing before', () => {
    expect(isRegression([])).toBe(false);
  });
});
