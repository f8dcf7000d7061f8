/** Makes a logged step again, from its logged inputs, and compares bits. */
import type { UpdateRecord } from '../../activities/artifacts/index.js';
import type { PolicyDependencies } from '../../activities/dependencies.js';
import { applyStep, ensurePolicyLoaded } from '../../activities/policies/index.js';
import { canonicalJson } from '../../activities/store/index.js';
import type { Supervision } from '../../activities/supervision/index.js';

/** The first thing that came out otherwise. */
export interface Difference {
  /** As in `metrics[0].loss`, or `sha256` of the weights. */
  field: string;
  logged: unknown;
  redone: unknown;
}

/**
 * @returns null when weights and metrics are equal to the bit
 * @throws what loading the parent throws: MissingArtifactError, CorruptArtifactError, DivergenceError of a step before
 */
export async function redo(
  deps: PolicyDependencies,
  { inputs, result, metrics }: UpdateRecord,
  supervision: Supervision,
): Promise<Difference | null> {
  await ensurePolicyLoaded(deps, inputs.parent, inputs.freshOptimizer ? 'fresh' : 'as-trained', supervision);
  const redone = await applyStep(deps, inputs, supervision.call);
  return (
    firstDifference(metrics, redone.metrics, 'metrics') ??
    firstDifference(result.sha256, redone.sha256, 'sha256') ??
    null
  );
}

function firstDifference(logged: unknown, redone: unknown, field: string): Difference | null {
  if (canonicalJson(logged ?? null) === canonicalJson(redone ?? null)) return null;
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isRecord(logged) || !isRecord(redone)) return { field, logged, redone };
  for (const key of Object.keys({ ...logged, ...redone })) {
    const path = Array.isArray(logged) ? `${field}[${key}]` : `${field}.${key}`;
    const found = firstDifference(logged[key], redone[key], path);
    if (found) return found;
  }
  return null;
}
