/** Brings the spec's model into the store as the run's first policy. */
import type { PolicyRef } from '../workflows/contract.js';
import type { EngineDependencies } from './dependencies.js';
import { publishLoaded } from './policy.js';
import type { RunSpec } from './spec.js';
import { type ArtifactRef, baseUri, hashOf, publishJson, readJson } from './store/index.js';
import { supervised } from './supervision.js';

export interface ImportBaseInput {
  run: string;
  spec: ArtifactRef;
}

export function importBase(deps: EngineDependencies) {
  return ({ run, spec }: ImportBaseInput): Promise<PolicyRef> =>
    supervised('importing the base model', async supervision => {
      const published = await deps.store.find(baseUri(run));
      if (published) return readJson<PolicyRef>(deps.store, published);
      const { model } = await readJson<RunSpec>(deps.store, spec);
      const directory = await deps.models.resolve(model);
      await deps.engine.call('load', { directory, optimizer: null, tag: 'base, unnamed' }, supervision.call);
      const origin = { run, parent: null, update: null };
      const policy = await publishLoaded(deps, origin, sha256 => hashOf({ base: sha256 }).slice(0, 32), supervision);
      await publishJson(deps.store, baseUri(run), policy);
      return policy;
    });
}
