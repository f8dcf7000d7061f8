/** What a snapshot of a run's policies takes, before the first was measured. */
import type { PolicyRef } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { WEIGHTS_FILE } from '../engine/files/index.js';
import { adapterOf, type RunSpec } from '../spec/index.js';
import { absence, baseUri, findJson } from '../store/index.js';
import { textModelOf } from './policy-text.js';

/** Written, synced and hashed twice; what a laptop's disk or a network's file system does at least. */
const BYTES_PER_SECOND = 100e6;
/** AdamW's two moments are as large as what is trained, and lie beside it. */
const COPIES = 3;
const FLOAT_BYTES = 4;

/** @returns seconds: the size of weights and optimiser, or of an adapter and its optimiser, over a careful rate */
export async function snapshotCost(deps: Dependencies, run: string, spec: RunSpec): Promise<number> {
  const lora = adapterOf(spec);
  const trained = lora
    ? FLOAT_BYTES * (await textModelOf(deps, run)).adapterParameters(lora)
    : await baseBytes(deps, run);
  return (COPIES * trained) / BYTES_PER_SECOND;
}

async function baseBytes({ store }: Dependencies, run: string): Promise<number> {
  const base = await findJson<PolicyRef>(store, baseUri(run));
  if (!base) throw await absence(store, baseUri(run), 'the base policy was not imported');
  return (await store.fileSizes(base.value.uri))[WEIGHTS_FILE] ?? 0;
}
