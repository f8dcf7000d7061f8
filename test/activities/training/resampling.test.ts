import { randomStream } from '../../../activities/engine/random.js';
import {
  type Candidate,
  carriedCount,
  difficultyWeight,
  drawCarried,
  lowestReward,
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
  const weights = candidates.map(candidate => difficultyWeight(candidate.meanReward, SETTINGS, 0));
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
  expect([0, 0.5, 1].map(reward => difficultyWeight(reward, SETTINGS, 0))).toEqual([8, 1 / 0.625, 1 / 1.125]);
  const rule = { ...SETTINGS, weight: 'zero-accuracy' } as const;
  expect([0, 0.01, 1].map(reward => difficultyWeight(reward, rule, 0))).toEqual([1, 0, 0]);
});

describe('rewards below zero', () => {
  /** Of rewards -1 and 1: means that are 2 accuracy - 1. */
  const penalised: Candidate[] = [0, 0.25, 0.5, 1].map((accuracy, index) => ({ index, meanReward: 2 * accuracy - 1 }));

  test('means are counted from the lowest: the hardest weighs as a sample never answered, and order stays', () => {
    const lowest = lowestReward(penalised);
    expect(lowest).toBe(-1);
    const weights = penalised.map(({ meanReward }) => difficultyWeight(meanReward, SETTINGS, lowest));
    expect(weights).toEqual([0, 0.25, 0.5, 1].map(accuracy => 1 / (2 * accuracy + SETTINGS.smoothing)));
  });

  test('without one they are counted from zero, whatever the lowest is', () => {
    expect(lowestReward(candidates)).toBe(0);
    expect(lowestReward([{ meanReward: 0.5 }])).toBe(0);
    expect(lowestReward([])).toBe(0);
  });

  test('draws are finite and take the hardest most often', () => {
    const first = Array.from({ length: 200 }, (_, seed) => drawCarried(penalised, 1, SETTINGS, randomStream(seed))[0]!);
    const counts = penalised.map(({ index }) => first.filter(drawn => drawn.index === index).length);
    expect([...counts].sort((a, b) => b - a)).toEqual(counts);
    expect(counts[0]).toBeGreaterThan(100);
  });

  test('zero-accuracy takes those that are not above zero', () => {
    const rule = { ...SETTINGS, weight: 'zero-accuracy' } as const;
    expect([-1, -0.5, 0, 0.1].map(reward => difficultyWeight(reward, rule, -1))).toEqual([1, 1, 1, 0]);
  });
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
