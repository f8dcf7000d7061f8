/** Makes sure that a policy has a checkpoint in the store. */
import type { PolicyRef } from '../workflows/contract.js';
import { snapshotUri } from './checkpoint.js';
import type { EngineDependencies } from './dependencies.js';
import { ensureSnapshot } from './policy.js';
import { fenceOf, type StageAttempt } from './store/index.js';
import { supervised } from './supervision.js';

export interface SnapshotInput {
  stage: StageAttempt;
  policy: PolicyRef;
}

export function snapshot(deps: EngineDependencies) {
  return ({ stage, policy }: SnapshotInput): Promise<PolicyRef> =>
    supervised(`writing checkpoint ${policy.name}`, async supervision => {
      await ensureSnapshot(deps, policy, supervision, fenceOf(stage));
      return { ...policy, uri: snapshotUri(policy) };
    });
}
