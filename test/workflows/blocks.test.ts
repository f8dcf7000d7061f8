import type { StageSettings } from '../../activities/run/claim-attempt.js';
import { blockLength } from '../../workflows/blocks.js';
import { NEW_CLOCK } from '../../workflows/snapshot-interval.js';

const settings: StageSettings = {
  spec: { uri: 'store:runs/r/spec.json', sha256: '' },
  steps: 100,
  snapshotEvery: 1000,
  blockSeconds: 4,
  rl: null,
};
const at = (step: number, secondsPerStep: number | null) => ({ step, secondsPerStep, clock: NEW_CLOCK });
const length = (step: number, seconds: number | null, other: Partial<StageSettings> = {}) =>
  blockLength({ ...settings, ...other }, at(step, seconds));

test('a single step shows how long one takes, and long ones stay single', () => {
  expect([length(0, null), length(1, 4), length(1, 2.01), length(1, 1000)]).toEqual([1, 1, 1, 1]);
});

test('short ones fill the time, to the end of the stage', () => {
  expect([length(1, 2), length(1, 0.5), length(98, 0.5), length(1, 0)]).toEqual([2, 8, 2, 99]);
});

test('none goes beyond a snapshot', () => {
  expect([0, 1, 5, 9, 10, 98].map(step => length(step, 0.5, { snapshotEvery: 6 }))).toEqual([6, 5, 1, 3, 2, 2]);
  // sqrt(2 * 1 * 8) = 4 seconds apart.
  const rule = { cost: 1, meanTimeBetweenFailures: 8 };
  expect([0.5, 1, 3].map(seconds => length(1, seconds, { snapshotEvery: rule, blockSeconds: 60 }))).toEqual([8, 4, 1]);
});

test('without the time, as earlier versions had it: a fiftieth of the stage', () => {
  const { blockSeconds: _, ...earlier } = settings;
  expect([0, 1, 99].map(step => blockLength(earlier, at(step, 0.1)))).toEqual([2, 2, 1]);
  expect(blockLength({ ...earlier, steps: 20 }, at(0, null))).toBe(1);
  expect(blockLength({ ...earlier, snapshotEvery: { cost: 1, meanTimeBetweenFailures: 8 } }, at(0, null))).toBe(1);
});
