/** Makes sure that a policy has a checkpoint in the store, and removes what its stage no longer needs. */
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import type { CheckpointSettings } from '../spec/index.js';
import { fenceOf, type StageAttempt } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { snapshotUri } from './checkpoint.js';
import { ensureSnapshot } from './policy.js';
import { isSuperseded, removeEarlier } from './retention.js';
import { withdrawWeights } from './shared-weights.js';

export interface SnapshotInput {
  stage: StageAttempt;
  policy: PolicyRef;
  /** How many of the stage's snapshots stay; earlier versions did not say, and kept all. */
  keep?: CheckpointSettings['keep'];
  /** How many the stage's work is cut into; absent where it is not. */
  shards?: number;
}

/** @returns the policy by its snapshot; as it was given where a later one of the stage makes it needless */
export function snapshot(deps: EngineDependencies) {
  return ({ stage, policy, keep = 'all', shards }: SnapshotInput): Promise<PolicyRef> =>
    supervised(`writing checkpoint ${policy.name}`, async supervision => {
      const { store } = deps;
      if (keep !== 'all' && (await isSuperseded(store, stage, policy.name))) return policy;
      await ensureSnapshot(deps, policy, supervision, { fence: fenceOf(stage), shards });
      // Which has the weights in it.
      if (shards !== undefined) await withdrawWeights(store, policy, name => name === policy.name, fenceOf(stage));
      if (keep !== 'all') await removeEarlier(deps, stage, policy.name, keep, supervision);
      return { ...policy, uri: snapshotUri(policy) };
    });
}
