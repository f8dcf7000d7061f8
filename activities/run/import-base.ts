/** Brings the spec's model into the store as the run's first policy. */
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { freshAdapter, publishLoaded, servedModelOf } from '../policies/index.js';
import { baseUri, hashOf, publishJson, readJson } from '../store/index.js';
import { supervised } from '../supervision/index.js';

export interface ImportBaseInput {
  run: string;
  /** As `prepareRun` resolved it. */
  model: string;
}

export function importBase(deps: EngineDependencies) {
  return ({ run, model }: ImportBaseInput): Promise<PolicyRef> =>
    supervised('importing the base model', async supervision => {
      const published = await deps.store.find(baseUri(run));
      const before = published && (await readJson<PolicyRef>(deps.store, published));
      // A checkpoint that was damaged has been set aside since.
      if (before && (await deps.store.has(before.uri))) return before;
      supervision.note(`fetching ${model}`);
      const served = await servedModelOf(deps.store, run);
      // A service has the weights: here the tokenizer is enough.
      const weights = served === null;
      const { directory } = await deps.models.resolve(model, supervision.call.signal, { weights });
      supervision.note('importing the base model');
      await deps.engine.call(
        'load',
        { directory, ...(served !== null && { served }), optimizer: null, tag: 'base, unnamed' },
        supervision.call,
      );
      const origin = { run, parent: null, update: null };
      // What is trained belongs to the name: every later policy's name follows from this one.
      const adapter = await freshAdapter(deps.store, run);
      const lora = adapter && { settings: adapter.fresh.settings, seed: adapter.fresh.seed };
      const identity = (sha256: string) => ({
        name: hashOf({ base: sha256, ...(lora && { lora }) }).slice(0, 32),
        sha256,
      });
      const policy = await publishLoaded(deps, origin, identity, supervision);
      await publishJson(deps.store, baseUri(run), policy);
      return policy;
    });
}
