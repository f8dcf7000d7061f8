/**
 * When a stage writes a snapshot: every so many steps, or by what a snapshot costs and a failure would cost.
 *
 * Young's rule (1974, doi:10.1145/361147.361115; refined by Daly 2006, doi:10.1016/j.future.2004.11.016): where a snapshot
 * takes C seconds and failures come M seconds apart, least time is lost with one every t = sqrt(2 C M) seconds. There a
 * failure costs all work since the snapshot, half of t on average. Here it costs the updates alone, since rollouts and
 * scores are in the log: r of the t seconds. What is lost of each second, C / t + (r / 2) / M, is least at t r = 2 C M, which
 * is Young's where r = t.
 */
import type { SnapshotRule } from '../activities/contract/index.js';

/** Seconds since the stage's last snapshot, and what that one took; carried from step to step. */
export interface SnapshotClock {
  /** Null before the stage's first. */
  cost: number | null;
  /** Work of all kinds. */
  worked: number;
  /** Of these, what a failure would have done again. */
  redo: number;
}

export const NEW_CLOCK: SnapshotClock = { cost: null, worked: 0, redo: 0 };

export function advanced(clock: SnapshotClock, by: Pick<SnapshotClock, 'worked' | 'redo'>): SnapshotClock {
  return { ...clock, worked: clock.worked + by.worked, redo: clock.redo + by.redo };
}

/** @param cost seconds that the snapshot took */
export const restarted = (cost: number): SnapshotClock => ({ ...NEW_CLOCK, cost });

/** @param steps how many were done before and after the last stretch of work */
export function isSnapshotDue(rule: SnapshotRule, steps: { from: number; to: number }, clock: SnapshotClock): boolean {
  if (typeof rule === 'number') return Math.floor(steps.to / rule) > Math.floor(steps.from / rule);
  return clock.redo > 0 && clock.worked * clock.redo >= squaredInterval(rule, clock.cost);
}

/**
 * Steps from one snapshot to the next where a failure would have all of them done again.
 * @param secondsPerStep null while that is not known: a single step shows it
 */
export function stepsBetween(rule: SnapshotRule, cost: number | null, secondsPerStep: number | null): number {
  if (typeof rule === 'number') return rule;
  if (secondsPerStep === null) return 1;
  return Math.max(1, Math.floor(Math.sqrt(squaredInterval(rule, cost)) / Math.max(secondsPerStep, CLOCK_TICK)));
}

/** Seconds: workflow time goes by milliseconds. */
export const CLOCK_TICK = 0.001;

/**
 * 2 C M. A measured C includes waiting for a worker and the rebuild of a lost policy, so it has a limit: at half of M the
 * interval is M, and Daly's is never longer.
 */
function squaredInterval(rule: Exclude<SnapshotRule, number>, measured: number | null): number {
  const { cost, meanTimeBetweenFailures } = rule;
  return 2 * Math.min(measured ?? cost, meanTimeBetweenFailures / 2) * meanTimeBetweenFailures;
}
