/** How many steps one activity takes: long ones one each, short ones together, for between activities nothing computes. */
import type { StageSettings } from '../activities/run/index.js';
import { CLOCK_TICK, type SnapshotClock, stepsBetween } from './snapshot-interval.js';

export interface BlockStart {
  /** Steps done. */
  step: number;
  clock: SnapshotClock;
  /** Of the block before; null before the first, which is a single step to find out. */
  secondsPerStep: number | null;
}

/**
 * As many as `blockSeconds` take, which is how soon progress shows and a pause takes effect, and no more than to the next
 * snapshot or the stage's end. At most, for the activity looks at the clock itself: steps that were found in the store
 * say nothing of those that are not.
 */
export function blockLength(
  { steps, snapshotEvery, blockSeconds }: StageSettings,
  { step, clock, secondsPerStep }: BlockStart,
): number {
  const most = stepsBetween(snapshotEvery, clock.cost, secondsPerStep);
  const left = steps - step;
  // Stages that earlier versions began go on as they did.
  if (blockSeconds === undefined) return Math.min(left, most, Math.ceil(steps / 50));
  const toSnapshot = typeof snapshotEvery === 'number' ? snapshotEvery - (step % snapshotEvery) : most;
  const inTime = secondsPerStep === null ? 1 : Math.floor(blockSeconds / Math.max(secondsPerStep, CLOCK_TICK));
  return Math.max(1, Math.min(left, toSnapshot, inTime));
}
