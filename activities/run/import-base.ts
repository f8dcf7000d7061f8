/** Brings the spec's model into the store as the run's first policy. */
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { freshAdapter, publishLoaded, servedModelOf } from '../policies/index.js';
import { codeVersion } from '../provenance/index.js';
import { baseUri, fileHashes, hashOf, publishJson, readJson, runOf } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { keepOutcome, knownOutcome, shareOutcomeOf } from './outcomes.js';

export interface ImportBaseInput {
  run: string;
  /** As `prepareRun` resolved it. */
  model: string;
  /** Whether it is shared with others, where another run has imported the same. */
  share?: boolean;
}

export function importBase(deps: EngineDependencies) {
  return ({ run, model, share = false }: ImportBaseInput): Promise<PolicyRef> =>
    supervised('importing the base model', async supervision => {
      const published = await deps.store.find(baseUri(run));
      const before = published && (await readJson<PolicyRef>(deps.store, published));
      // A checkpoint that was damaged has been set aside since.
      if (before && (await deps.store.has(before.uri))) return before;
      supervision.note(`fetching ${model}`);
      const served = await servedModelOf(deps.store, run);
      // A service has the weights: here the tokenizer is enough.
      const weights = served === null;
      const adapter = await freshAdapter(deps.store, run);
      const { directory } = await deps.models.resolve(model, supervision.call.signal, { weights });
      const lora = adapter && { settings: adapter.fresh.settings, seed: adapter.fresh.seed };
      const key = share ? await baseKey(directory, lora) : null;
      const known = key === null ? null : await knownOutcome<PolicyRef>(deps.store, key, ({ uri }) => [uri]);
      if (known) {
        await keepOutcome(deps.store, run, known);
        await publishJson(deps.store, baseUri(run), known.result);
        return known.result;
      }
      supervision.note('importing the base model');
      const began = performance.now();
      await deps.engine.call(
        'load',
        { directory, ...(served !== null && { served }), optimizer: null, tag: 'base, unnamed' },
        supervision.call,
      );
      // One that was taken from another run is made again where it lay.
      const origin = { run: before ? runOf(before.uri) : run, parent: null, update: null };
      // What is trained belongs to the name: every later policy's name follows from this one.
      const identity = (sha256: string) => ({
        name: hashOf({ base: sha256, ...(lora && { lora }) }).slice(0, 32),
        sha256,
      });
      const policy = await publishLoaded(deps, origin, identity, supervision);
      await publishJson(deps.store, baseUri(run), policy);
      if (key !== null) {
        const seconds = (performance.now() - began) / 1000;
        await shareOutcomeOf(deps.store, run, { key, name: 'base', seconds, result: policy });
      }
      return policy;
    });
}

/** All that decides the first policy: the model's files, and what is to be trained of it. */
async function baseKey(directory: string, lora: object | null): Promise<string> {
  return hashOf({ kind: 'base', files: await fileHashes(directory), lora, code: codeVersion() });
}
