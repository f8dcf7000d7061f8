/** Makes a logged step again, from its logged inputs, and holds it against the log. */
import type { UpdateRecord } from '../../activities/artifacts/index.js';
import type { PolicyDependencies } from '../../activities/dependencies.js';
import { applyStep, type Comparison, compareRedone, ensurePolicyLoaded } from '../../activities/policies/index.js';
import type { Supervision } from '../../activities/supervision/index.js';

/** @throws what loading the parent throws: MissingArtifactError, CorruptArtifactError, DivergenceError of a step before */
export async function redo(
  deps: PolicyDependencies,
  record: UpdateRecord,
  supervision: Supervision,
): Promise<Comparison> {
  const { inputs } = record;
  await ensurePolicyLoaded(deps, inputs.parent, inputs.freshOptimizer ? 'fresh' : 'as-trained', supervision);
  return compareRedone(record, await applyStep(deps, inputs, supervision.call), deps.numerics);
}
