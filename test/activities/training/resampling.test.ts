import { randomStream } from '../../../activities/engine/random.js';
import {
  type Candidate,
  carriedCount,
  difficultyWeight,
  drawCarried,
} from '../../../activities/training/resampling.js';

const SETTINGS = {
  enabled: true,
  fraction: 0.25,
  weight: 'inverse-mean-reward',
  smoothing: 0.125,
  replacement: false,
} as const;
const candidates: Candidate[] = [0, 0.125, 0.5, 1].map((meanReward, index) => ({ index, meanReward }));
const DRAWS = 20_000;

/** Chance of each ordered draw without replacement, by enumeration. */
function orderedChances(count: number): Map<string, number> {
  const weights = candidates.map(candidate => difficultyWeight(candidate.meanReward, SETTINGS));
  const chances = new Map<string, number>();
  const extend = (drawn: number[], chance: number) => {
    if (drawn.length === count) {
      chances.set(drawn.join(), chance);
      return;
    }
    const left = candidates.map(candidate => candidate.index).filter(index => !drawn.includes(index));
    const total = left.reduce((sum, index) => sum + weights[index]!, 0);
    for (const index of left) extend([...drawn, index], (chance * weights[index]!) / total);
  };
  extend([], 1);
  return chances;
}

/** Largest gap between observed shares and chances, in standard deviations of the observation. */
function worstDeviation(observed: Map<string, number>, chances: Map<string, number>): number {
  return Math.max(
    ...[...chances].map(([key, chance]) => {
      const share = (observed.get(key) ?? 0) / DRAWS;
      return Math.abs(share - chance) / Math.sqrt((chance * (1 - chance)) / DRAWS);
    }),
  );
}

function observe(draw: (k: number) => string): Map<string, number> {
  const seen = new Map<string, number>();
  for (let k = 0; k < DRAWS; k++) {
    const key = draw(k);
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return seen;
}

test('the carried are that fraction of the pool', () => {
  expect([carriedCount(300, 0.25), carriedCount(100, 0.5), carriedCount(100, 0)]).toEqual([100, 100, 0]);
});

test('weights: Eq. 10 with smoothing, or the never answered alone', () => {
  expect([0, 0.5, 1].map(reward => difficultyWeight(reward, SETTINGS))).toEqual([8, 1 / 0.625, 1 / 1.125]);
  const rule = { ...SETTINGS, weight: 'zero-accuracy' } as const;
  expect([0, 0.01, 1].map(reward => difficultyWeight(reward, rule))).toEqual([1, 0, 0]);
});

test('without replacement the distribution is that of drawing one after another', () => {
  const observed = observe(k =>
    drawCarried(candidates, 2, SETTINGS, randomStream('without', k))
      .map(candidate => candidate.index)
      .join(),
  );
  expect(worstDeviation(observed, orderedChances(2))).toBeLessThan(4);
});

test('with replacement every draw has the same chances', () => {
  const settings = { ...SETTINGS, replacement: true };
  const observed = observe(k =>
    drawCarried(candidates, 2, settings, randomStream('with', k))
      .map(candidate => candidate.index)
      .join(),
  );
  const single = orderedChances(1);
  const pairs = new Map(
    [...single].flatMap(([a, chanceA]) => [...single].map(([b, chanceB]) => [`${a},${b}`, chanceA * chanceB] as const)),
  );
  expect(worstDeviation(observed, pairs)).toBeLessThan(4);
});

test('without replacement nobody is drawn twice, and no more than there are', () => {
  const drawn = drawCarried(candidates, 10, SETTINGS, randomStream(1));
  expect(drawn.map(candidate => candidate.index).sort()).toEqual([0, 1, 2, 3]);
  const replaced = drawCarried(candidates, 10, { ...SETTINGS, replacement: true }, randomStream(1));
  expect(replaced).toHaveLength(10);
});

test('zero-accuracy carries only the never answered', () => {
  for (const replacement of [false, true]) {
    const settings = { ...SETTINGS, weight: 'zero-accuracy', replacement } as const;
    const drawn = drawCarried(candidates, 3, settings, randomStream(2));
    expect(drawn.map(candidate => candidate.index)).toEqual(replacement ? [0, 0, 0] : [0]);
    expect(drawCarried(candidates.slice(1), 3, settings, randomStream(2))).toEqual([]);
  }
});

test('equal names give equal draws, others give others', () => {
  const draw = (seed: number) => drawCarried(candidates, 4, SETTINGS, randomStream(seed)).map(({ index }) => index);
  expect(draw(5)).toEqual(draw(5));
  expect(new Set(Array.from({ length: 20 }, (_, seed) => draw(seed).join())).size).toBeGreaterThan(3);
});
