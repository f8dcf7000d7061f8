/** Advantages and shaping: numbers worked by hand. */
import { centred, leaveOneOut, normalised } from '../../../../activities/engine/training/advantages';
import { overlongPenalty } from '../../../../activities/engine/training/overlong';
import { expectClose } from '../../../support/close';
import { randomFloats } from '../../../support/graphs';

describe('normalised', () => {
  test.each<[number[], number[]]>([
    // Sample deviation of (1, 0, 0, 1): sqrt(4 * 0.25 / 3) = 0.5773503.
    [
      [1, 0, 0, 1],
      [0.866024, -0.866024, -0.866024, 0.866024],
    ],
    // Mean 0.25, deviation 0.5.
    [
      [1, 0, 0, 0],
      [1.499997, -0.499999, -0.499999, -0.499999],
    ],
    [
      [3, 1],
      [Math.SQRT1_2, -Math.SQRT1_2],
    ],
    [
      [1, 1, 1],
      [0, 0, 0],
    ],
    [[7], [0]],
  ])('of rewards %j are %j', (rewards, expected) => {
    expectClose(normalised(rewards), expected, 5);
  });

  test('do not change when all rewards move together, and sum to 0', () => {
    const rewards = [...randomFloats('rewards', 8)];
    const advantages = normalised(rewards);
    expectClose(normalised(rewards.map(r => r + 5)), advantages, 9);
    expect(advantages.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
  });
});

test.each<[number[], number[]]>([
  [
    [1, 0, 0, 1],
    [0.5, -0.5, -0.5, 0.5],
  ],
  [
    [1, 0, 0, 0],
    [0.75, -0.25, -0.25, -0.25],
  ],
  [[7], [0]],
])('centred, of rewards %j: %j', (rewards, expected) => {
  expectClose(centred(rewards), expected, 12);
});

test.each<[number[], number[]]>([
  // Each 1 against the mean of (0, 0, 1), each 0 against that of (1, 0, 1).
  [
    [1, 0, 0, 1],
    [2 / 3, -2 / 3, -2 / 3, 2 / 3],
  ],
  [
    [1, 0, 0, 0],
    [1, -1 / 3, -1 / 3, -1 / 3],
  ],
  [
    [3, 1],
    [2, -2],
  ],
  [[7], [0]],
])('against the others, of rewards %j: %j', (rewards, expected) => {
  expectClose(leaveOneOut(rewards), expected, 12);
});

describe('overlong shaping', () => {
  test.each([
    [1, 0],
    [80, 0],
    [81, -0.05],
    [90, -0.5],
    [99, -0.95],
    [100, -1],
    [101, -1],
    [500, -1],
  ])('%d tokens of at most 100 with a cache of 20: %d', (length, expected) => {
    expect(overlongPenalty(length, { maxLength: 100, cache: 20 })).toBeCloseTo(expected, 12);
  });

  test('without a cache it falls at once', () => {
    expect([100, 101].map(length => overlongPenalty(length, { maxLength: 100, cache: 0 }))).toEqual([0, -1]);
  });
});
