import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossedEstimate, crossedSpread } from '../../../../activities/benchmarks/index.js';
import { randomStream } from '../../../../activities/engine/random.js';

interface Golden {
  name: string;
  scores: number[][];
  mean: number;
  variance: number;
  degrees: number;
  low: number;
  high: number;
}

const GOLDEN: Golden[] = JSON.parse(readFileSync(join(__dirname, '../../../fixtures/golden/crossed.json'), 'utf8'));

test.each(GOLDEN)('$name: as numpy has it', golden => {
  const { mean, variance, degrees } = crossedSpread(golden.scores);
  expect(mean).toBeCloseTo(golden.mean, 9);
  expect(variance).toBeCloseTo(golden.variance, 9);
  expect(degrees).toBeCloseTo(golden.degrees, 6);
  const { score, low, high } = crossedEstimate(golden.scores, [0, 100], [golden.name]);
  expect(score).toBe(mean);
  // Drawn with other random numbers: a few hundredths of the width.
  const near = 0.06 * (golden.high - golden.low);
  expect(Math.abs(low - golden.low)).toBeLessThan(near);
  expect(Math.abs(high - golden.high)).toBeLessThan(near);
});

test('equal names give equal intervals, whatever the other name', () => {
  const { scores } = GOLDEN[1]!;
  const of = (name: string) => crossedEstimate(scores, [0, 100], [name]);
  expect(of('a')).toEqual(of('a'));
  expect(of('a').low).not.toBe(of('b').low);
});

test('seeds count once however many items they answer', () => {
  const [right, wrong] = [Array(500).fill(100), Array(500).fill(0)];
  const { low, high } = crossedEstimate([right, wrong, right], [0, 100], ['seeds']);
  expect([low, high]).toEqual([0, 100]);
});

test.each([
  ['all right, of a hundred items', Array(3).fill(Array(100).fill(100)), [0, 100], 96.3, 100],
  ['none right, of ten', [Array(10).fill(0)], [0, 100], 0, 27.75],
  ['no difference anywhere', Array(3).fill(Array(20).fill(0)), [-100, 100], 0, 0],
  ['one score', [[100]], [0, 100], 0, 100],
] as [string, number[][], [number, number], number, number][])('%s', (name, scores, range, low, high) => {
  const found = crossedEstimate(scores, range, [name]);
  expect(found.low).toBeCloseTo(low, 1);
  expect(found.high).toBeCloseTo(high, 1);
});

test.each([
  ['no seeds', []],
  ['no items', [[]]],
  ['seeds of different items', [[1, 2], [1]]],
])('%s are refused', (_, scores) => {
  expect(() => crossedEstimate(scores, [0, 100], ['bad'])).toThrow('expected as many scores for each seed');
});

/** How often the interval of a difference has the true one in it, which is 0: both sides are drawn alike. */
function coverage(seeds: number, items: number, seedEffect: number, times: number): number {
  const random = randomStream('coverage', seeds, items, String(seedEffect));
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  let held = 0;
  for (let k = 0; k < times; k++) {
    const difficulty = Array.from({ length: items }, normal);
    const side = () => {
      const effect = seedEffect * normal();
      return difficulty.map(one => (random.uniform() < 1 / (1 + Math.exp(-(one + effect))) ? 100 : 0));
    };
    const differences = Array.from({ length: seeds }, () => {
      const [a, b] = [side(), side()];
      return a.map((score, i) => score - b[i]!);
    });
    const { low, high } = crossedEstimate(differences, [-100, 100], ['coverage', String(k)], 400);
    if (low <= 0 && 0 <= high) held++;
  }
  return held / times;
}

// Of 200 trials at 95 %, chance alone leaves 91 to 98.5 % in 99 of 100 cases; where seeds do not differ it is careful.
test.each([
  [5, 40, 1, 0.91, 0.985],
  [3, 40, 1, 0.91, 0.985],
  [5, 40, 0, 0.93, 1],
])(
  'of %d seeds and %d items, seeds differing by %d, the interval holds what it should',
  (seeds, items, effect, least, most) => {
    const held = coverage(seeds, items, effect, 200);
    expect(held).toBeGreaterThanOrEqual(least);
    expect(held).toBeLessThanOrEqual(most);
  },
);
