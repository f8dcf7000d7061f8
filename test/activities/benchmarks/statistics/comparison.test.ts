import { wilson } from '../../../../activities/benchmarks/interval.js';
import { type ItemScores, pairedDifference, resample } from '../../../../activities/benchmarks/statistics/paired.js';
import { type CountedEstimate, unpairedDifference } from '../../../../activities/benchmarks/statistics/unpaired.js';
import { randomStream } from '../../../../activities/engine/random.js';

/** Items on which the row is right and the baseline wrong, the other way round, and those where they agree. */
function scores(better: number, worse: number, equal: number): { row: ItemScores; baseline: ItemScores } {
  const pairs = [
    ...Array<[number, number]>(better).fill([100, 0]),
    ...Array<[number, number]>(worse).fill([0, 100]),
    ...Array<[number, number]>(equal).fill([100, 100]),
  ];
  const of = (side: 0 | 1) => new Map(pairs.map((pair, k) => [`item-${k}`, pair[side]]));
  return { row: of(0), baseline: of(1) };
}

const compare = (better: number, worse: number, equal: number, name = 'test') => {
  const { row, baseline } = scores(better, worse, equal);
  return pairedDifference([resample(row, baseline, [name])!]);
};

describe('paired', () => {
  test('p is that of the exact test, the interval that of the normal approximation', () => {
    const { items, difference, low, high, p, withinNoise } = compare(30, 15, 155);
    expect([items, difference, withinNoise]).toEqual([200, 7.5, false]);
    // scipy.stats.binomtest(15, 45).pvalue; 7.5 +- 1.96 * 100 * sqrt((45 / 200 - 0.075 ** 2) / 200)
    expect(Math.abs(p - 0.0357)).toBeLessThan(0.006);
    expect(low).toBeCloseTo(1.01, 0);
    expect(high).toBeCloseTo(13.99, 0);
  });

  test('a handful of items that all went one way is luck, although the bootstrap never has 0 in its interval', () => {
    const { low, p, withinNoise } = compare(5, 0, 195);
    expect(low).toBeGreaterThan(0);
    expect(Math.abs(p - 2 / 32)).toBeLessThan(0.01);
    expect(withinNoise).toBe(true);
    expect(compare(8, 0, 192).withinNoise).toBe(false);
  });

  test('equal models', () => {
    expect(compare(0, 0, 10)).toEqual({ items: 10, difference: 0, low: 0, high: 0, p: 1, withinNoise: true });
  });

  test('the same from the same names, whatever the order of the items; over the items both have', () => {
    const { row, baseline } = scores(12, 7, 40);
    const first = resample(row, baseline, ['a', 'b'])!;
    const again = resample(new Map([...row].reverse().concat([['of-its-own', 0]])), baseline, ['a', 'b'])!;
    expect(again).toEqual(first);
    expect(resample(row, baseline, ['a', 'c'])!.bootstrap).not.toEqual(first.bootstrap);
    expect(resample(row, new Map(), ['a'])).toBeNull();
  });

  test('each benchmark counts the same in the mean, however many items it has', () => {
    const [small, large] = [scores(20, 0, 20), scores(0, 100, 700)];
    const strata = [small, large].map(({ row, baseline }, k) => resample(row, baseline, [`set ${k}`])!);
    const { items, difference, low, high } = pairedDifference(strata);
    expect([items, difference]).toEqual([840, (50 - 12.5) / 2]);
    // 18.75 +- 1.96 * sqrt(2500 / 40 + 1093.75 / 800) / 2
    expect(low).toBeCloseTo(10.92, 0);
    expect(high).toBeCloseTo(26.58, 0);
  });

  test('equal models are told apart about once in twenty, or less', () => {
    const random = randomStream('type one error');
    const told = Array.from({ length: 40 }, (_, k) => {
      const drawn = Array.from({ length: 30 }, () => random.uniform());
      const better = drawn.filter(u => u < 0.15).length;
      const worse = drawn.filter(u => u >= 0.15 && u < 0.3).length;
      return compare(better, worse, 30 - better - worse, `trial ${k}`).withinNoise;
    }).filter(within => !within).length;
    expect(told / 40).toBeLessThan(0.1);
  });
});

describe('unpaired', () => {
  const side = (score: number, items: number): CountedEstimate => {
    const { low, high } = wilson(score / 100, items);
    return { score, low: 100 * low, high: 100 * high, items };
  };

  // statsmodels: confint_proportions_2indep(..., method='newcomb'); p of the pooled z test by scipy
  test.each([
    [70.9, 824, 66, 200, -2.0812646714, 12.3423673765, 0.175178705, true],
    [10, 20, 40, 30, -49.094556998, -4.6702939817, 0.020637558, false],
  ])('%d %% of %i and %d %% of %i', (score, items, other, others, low, high, p, withinNoise) => {
    const found = unpairedDifference([[side(score, items), side(other, others)]]);
    expect(found.low).toBeCloseTo(low, 6);
    expect(found.high).toBeCloseTo(high, 6);
    expect(found.p).toBeCloseTo(p, 5);
    expect(found).toMatchObject({ items, withinNoise });
    expect(found.difference).toBeCloseTo(score - other, 10);
  });

  test('over several benchmarks the same difference says more', () => {
    const pair = [side(70, 200), side(64, 200)] as const;
    expect(unpairedDifference([pair]).withinNoise).toBe(true);
    expect(unpairedDifference(Array(7).fill(pair)).withinNoise).toBe(false);
  });

  test('everything right on both sides is no difference', () => {
    expect(unpairedDifference([[side(100, 10), side(100, 20)]])).toMatchObject({
      difference: 0,
      p: 1,
      withinNoise: true,
    });
  });
});
