import { wilson } from '../../../../activities/benchmarks/interval.js';
import { estimate, meanEstimate } from '../../../../activities/benchmarks/statistics/estimate.js';
import { studentT95, twoSidedP } from '../../../../activities/benchmarks/statistics/normal.js';
import { mean, passAtK } from '../../../../activities/benchmarks/statistics/samples.js';
import { type RandomStream, randomStream } from '../../../../activities/engine/random.js';

describe('distributions', () => {
  // scipy.stats: 2 * norm.sf(z), t.ppf(0.975, degrees)
  test.each([
    [0, 1],
    [0.3, 0.764177],
    [-1, 0.317311],
    [1.96, 0.0499958],
    [3, 0.0026998],
    [Number.POSITIVE_INFINITY, 0],
  ])('two-sided p of %d', (z, p) => expect(twoSidedP(z)).toBeCloseTo(p, 5));

  test.each([
    [4, 2.776445],
    [9, 2.262157],
    [29, 2.04523],
    [199, 1.971957],
  ])('t at %i degrees', (degrees, t) => expect(Math.abs(studentT95(degrees) / t - 1)).toBeLessThan(4e-4));
});

describe('passAtK', () => {
  test('the share of draws of k with a right one, by enumeration', () => {
    for (let n = 1; n <= 7; n++)
      for (let right = 0; right <= n; right++)
        for (let k = 1; k <= n; k++) {
          const draws = Array.from({ length: 2 ** n }, (_, set) => set).filter(set => ones(set) === k);
          const hits = draws.filter(set => (set & (2 ** right - 1)) !== 0);
          expect(passAtK(n, right, k)).toBeCloseTo(hits.length / draws.length, 12);
        }
  });

  test('many answers do not overflow', () => expect(passAtK(10_000, 1, 5000)).toBeCloseTo(0.5, 10));

  test.each([
    [5, 2, 0],
    [5, 2, 6],
    [5, 6, 1],
    [5, -1, 1],
    [5, 1.5, 1],
  ])('%d answers, %d right, k = %d', (n, right, k) => expect(() => passAtK(n, right, k)).toThrow(RangeError));
});

const ones = (set: number): number => [...set.toString(2)].filter(bit => bit === '1').length;

/** A mean of four answers, right by a chance of the item's own. */
const ofFour = (random: RandomStream, chance: number): number =>
  mean([0, 1, 2, 3].map(() => (random.uniform() < chance ? 1 : 0)));

describe('estimate', () => {
  test('zeros and ones: Wilson of the items', () => {
    const { low, high } = wilson(0.75, 4);
    expect(estimate([1, 0, 1, 1])).toEqual({ score: 75, low: 100 * low, high: 100 * high });
  });

  test.each([
    ['half right', 0.5, (random: RandomStream) => ofFour(random, random.uniform())],
    ['nearly always right', 0.95, (random: RandomStream) => ofFour(random, random.uniform() < 0.9 ? 1 : 0.5)],
    ['token F1', 0.55, (random: RandomStream) => [0, 0, 0, 1, 1, 1, 1][random.below(10)] ?? random.uniform()],
  ])('the interval holds the truth in about 95 of 100 evaluations: %s', (name, truth, draw) => {
    for (const [items, least] of [
      [30, 0.87],
      [200, 0.93],
    ] as const) {
      const random = randomStream('coverage', name, items);
      const holds = Array.from({ length: 1000 }, () => {
        const { low, high } = estimate(Array.from({ length: items }, () => draw(random)));
        return low / 100 <= truth && truth <= high / 100;
      }).filter(held => held).length;
      expect(holds / 1000).toBeGreaterThan(least);
      expect(holds / 1000).toBeLessThan(0.98);
    }
  });

  test('rewards beyond 1 have an interval too; equal scores do not make one of no width', () => {
    const wide = estimate([2, 0, 1.5, 0.5]);
    expect(wide.score).toBe(100);
    // scipy.stats.t.interval(0.95, 3, loc=1, scale=scipy.stats.sem([2, 0, 1.5, 0.5]))
    expect(wide.low).toBeCloseTo(-45.26, 0);
    expect(wide.high).toBeCloseTo(245.26, 0);
    const equal = estimate(Array(20).fill(0.5));
    expect(equal.high - equal.low).toBeGreaterThan(30);
  });

  test('nothing is no estimate', () => expect(() => estimate([])).toThrow(RangeError));
});

test('the mean of estimates is nearer than each', () => {
  const one = { score: 50, low: 43, high: 57 };
  expect(meanEstimate([one, one, one, one])).toEqual({ score: 50, low: 46.5, high: 53.5 });
});
