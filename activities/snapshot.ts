/** Makes sure that a policy has a checkpoint in the store. */
import type { PolicyRef } from '../workflows/contract.js';
import type { UpdateRecord } from './artifacts.js';
import { snapshotUri } from './checkpoint.js';
import type { EngineDependencies } from './dependencies.js';
import { ensurePolicyLoaded, publishLoaded } from './policy.js';
import { fenceOf, MissingArtifactError, readJson, runOf, type StageAttempt } from './store/index.js';
import { supervised } from './supervision.js';

export interface SnapshotInput {
  stage: StageAttempt;
  policy: PolicyRef;
}

export function snapshot(deps: EngineDependencies) {
  return ({ stage, policy }: SnapshotInput): Promise<PolicyRef> =>
    supervised(`writing checkpoint ${policy.name}`, async supervision => {
      const { store } = deps;
      if (await store.has(snapshotUri(policy))) return { ...policy, uri: snapshotUri(policy) };
      const made = await store.find(policy.uri);
      if (!made) throw new MissingArtifactError(policy.uri, `wanted to write a checkpoint of ${policy.name}`);
      const { inputs } = await readJson<UpdateRecord>(store, made);
      await ensurePolicyLoaded(deps, policy, 'as-trained', supervision);
      supervision.note(`writing checkpoint ${policy.name}`);
      const origin = { run: runOf(policy.uri), parent: inputs.parent.name, update: policy.uri };
      return publishLoaded(deps, origin, () => policy.name, supervision, fenceOf(stage));
    });
}
