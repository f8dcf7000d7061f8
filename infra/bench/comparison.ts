/** This run against a stored one, row by row. */
import type { Result } from './result.js';
import { spread } from './statistics.js';

export interface RowChange {
  id: string;
  /** Our time now over our time then, each in units of its own run's matrix product: 1.2 is a fifth slower. */
  ratio: number;
  /** Changes up to this share are within the noise of the two runs. */
  noise: number;
  verdict: 'slower' | 'faster' | 'same';
  /** Peak memory now over then; null where one is unknown. */
  memory: number | null;
}

/** Even quiet runs differ by as much. */
const LEAST_NOISE = 0.05;
/** So few turns say nothing of their own noise: this is taken to be it. */
const FEW = 3;
const NOISE_OF_FEW = 0.1;

/**
 * The rows that both runs have, in this run's order. Machines differ, so times are first divided by what a plain matrix
 * product took in the same run. The noise of a ratio is the sum of both rows' noise, at least 5 %.
 */
export function compare(now: Result, then: Result): RowChange[] {
  const changes: RowChange[] = [];
  for (const [id, row] of Object.entries(now.rows)) {
    const [a, b] = [row.ours, then.rows[id]?.ours];
    if (!a || !b) continue;
    const ratio = a.median / now.calibration.median / (b.median / then.calibration.median);
    const noise = Math.max(LEAST_NOISE, noiseOf(a.seconds) + noiseOf(b.seconds));
    const verdict = ratio > 1 + noise ? 'slower' : 1 / ratio > 1 + noise ? 'faster' : 'same';
    const memory = a.peakBytes === null || b.peakBytes === null ? null : a.peakBytes / b.peakBytes;
    changes.push({ id, ratio, noise, verdict, memory });
  }
  return changes;
}

const noiseOf = (seconds: readonly number[]): number => (seconds.length < FEW ? NOISE_OF_FEW : spread(seconds));

/** The rows that are slower than `limit` allows, noise apart. */
export const tooSlow = (changes: readonly RowChange[], limit: number): RowChange[] =>
  changes.filter(({ ratio, verdict }) => verdict === 'slower' && ratio > limit);
