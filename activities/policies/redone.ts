/** A step made again, held against the log: to the bit, or within the tolerance that its engine promises. */
import type { UpdateRecord } from '../artifacts/index.js';
import { type Numerics, OutOfToleranceError, promiseOf } from '../provenance/index.js';
import { canonicalJson } from '../store/index.js';
import type { StepOutcome } from './step.js';

/** Where the two come furthest apart. */
export interface Difference {
  /** As in `metrics[0].loss`, or `sha256` of the weights. */
  field: string;
  logged: unknown;
  redone: unknown;
  /** How far, where that is a number: relative to the value for norms, to at least 1 for what may be near 0. */
  apart: number | null;
}

export interface Comparison {
  /** Null where nothing differs at all. */
  difference: Difference | null;
  /** Whether that is as was promised. */
  kept: boolean;
  /** What was promised. */
  tolerance: number | null;
}

/** @param numerics of the engine that made it again */
export function compareRedone(
  { metrics, result, code }: Pick<UpdateRecord, 'metrics' | 'result' | 'code'>,
  redone: StepOutcome,
  numerics: Numerics | undefined,
): Comparison {
  const promise = promiseOf(code?.numerics, numerics);
  if (promise === 'bits') {
    const difference =
      firstDifference(metrics, redone.metrics, 'metrics') ?? firstDifference(result.sha256, redone.sha256, 'sha256');
    return { difference, kept: difference === null, tolerance: null };
  }
  const { tolerance } = promise;
  const difference = furthestApart(metrics, redone.metrics);
  const kept = difference === null || (difference.apart !== null && difference.apart <= tolerance);
  return { difference, kept, tolerance };
}

/**
 * Whether the policy is the one that was logged. Of equal bits the weights alone decide: what is measured beside them has
 * grown from version to version.
 * @throws OutOfToleranceError saying what came out otherwise, of an engine that promises a tolerance
 */
export function isSamePolicy(record: UpdateRecord, redone: StepOutcome, numerics: Numerics | undefined): boolean {
  if (promiseOf(record.code?.numerics, numerics) === 'bits') return redone.sha256 === record.result.sha256;
  const { difference, kept, tolerance } = compareRedone(record, redone, numerics);
  if (!kept) throw new OutOfToleranceError(record.result.uri, differenceText(difference!), tolerance!);
  return true;
}

export function differenceText({ field, logged, redone, apart }: Difference): string {
  const far = apart === null ? '' : ` (${apart.toExponential(1)} apart)`;
  return `${field}: logged ${JSON.stringify(logged)}, redone ${JSON.stringify(redone)}${far}`;
}

/**
 * What a tolerance holds. Norms are told by their ratio, what may be near 0 by its distance; counts must be equal. What
 * counts tokens at a threshold, as the share that clipping changed, is a matter of a token's last digit and not held.
 */
const HELD: Record<string, 'ratio' | 'distance' | 'equal'> = {
  gradNorm: 'ratio',
  loss: 'distance',
  entropy: 'distance',
  kl: 'distance',
  referenceKl: 'distance',
  logprobDifferenceMean: 'distance',
  reward: 'distance',
  tokens: 'equal',
  optimizerStep: 'equal',
  effectiveGroups: 'equal',
};

function furthestApart(logged: UpdateRecord['metrics'], redone: UpdateRecord['metrics']): Difference | null {
  if (logged.length !== redone.length)
    return { field: 'metrics.length', logged: logged.length, redone: redone.length, apart: null };
  const differences = logged.flatMap((before, k) =>
    Object.entries(HELD).flatMap(([name, how]): Difference[] => {
      const [a, b] = [before, redone[k]!].map(
        metrics => (metrics as unknown as Record<string, number | undefined>)[name],
      );
      // Versions differ in what they measure.
      if (a === undefined || b === undefined || Object.is(a, b)) return [];
      return [
        { field: `metrics[${k}].${name}`, logged: a, redone: b, apart: how === 'equal' ? null : apart(a, b, how) },
      ];
    }),
  );
  const unequal = differences.find(difference => difference.apart === null);
  return unequal ?? differences.sort((a, b) => b.apart! - a.apart!)[0] ?? null;
}

/** Null of what is no number at all. */
function apart(a: number, b: number, how: 'ratio' | 'distance'): number | null {
  const scale = Math.max(Math.abs(a), Math.abs(b), how === 'distance' ? 1 : 0);
  const share = Math.abs(a - b) / scale;
  return Number.isFinite(share) ? share : null;
}

function firstDifference(logged: unknown, redone: unknown, field: string): Difference | null {
  if (canonicalJson(logged ?? null) === canonicalJson(redone ?? null)) return null;
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isRecord(logged) || !isRecord(redone)) return { field, logged, redone, apart: null };
  for (const key of Object.keys({ ...logged, ...redone })) {
    const path = Array.isArray(logged) ? `${field}[${key}]` : `${field}.${key}`;
    const found = firstDifference(logged[key], redone[key], path);
    if (found) return found;
  }
  return null;
}
