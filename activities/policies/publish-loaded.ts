/** The policy that the engine holds, written as a folder of the store. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointState } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import { WEIGHTS_FILE } from '../engine/files/index.js';
import { ADAPTER_WEIGHTS_FILE, OPTIMIZER_FILE, plainName } from '../engine/folders/index.js';
import type { FreshAdapter } from '../engine/protocol/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  absence,
  baseUri,
  checkpointUri,
  type Fence,
  fileHashes,
  readJson,
  type Store,
  specUri,
  weightsUri,
} from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { STATE_FILE } from './checkpoint.js';

/** What a run that trains an adapter begins with: a function of its spec, so the base's snapshot need not hold it. */
export async function freshAdapter(store: Store, run: string): Promise<{ fresh: FreshAdapter } | null> {
  const spec = await readPublished<RunSpec>(store, specUri(run));
  if (!spec.lora) return null;
  return { fresh: { settings: spec.lora, seed: spec.seed, baseModel: plainName(spec.model) } };
}

async function readPublished<T>(store: Store, uri: string): Promise<T> {
  const ref = await store.find(uri);
  if (!ref) throw await absence(store, uri, 'the run was not prepared');
  return readJson<T>(store, ref);
}

/** The policy beneath a run's adapters; null where all weights are trained. */
async function adapterBase(store: Store, run: string): Promise<PolicyRef | null> {
  return (await freshAdapter(store, run)) && readPublished<PolicyRef>(store, baseUri(run));
}

/** Where a policy comes from: its run, its parent, and the log of the step that made it; null of a base. */
export interface Origin {
  run: string;
  parent: string | null;
  update: string | null;
}

/** What is published, by where it goes. */
const FOLDERS = {
  checkpoint: { uriOf: checkpointUri, withOptimizer: ({ update }: Origin) => update !== null },
  weights: { uriOf: weightsUri, withOptimizer: () => false },
} as const;

/**
 * Publishes the loaded policy as a folder.
 * @param name given the SHA-256 of its weights, for a base whose name comes from them
 */
export async function publishLoaded(
  deps: PolicyDependencies,
  origin: Origin,
  name: (sha256: string) => string,
  supervision: Supervision,
  { fence, as = 'checkpoint' }: { fence?: Fence | undefined; as?: keyof typeof FOLDERS } = {},
): Promise<PolicyRef> {
  const { uriOf, withOptimizer } = FOLDERS[as];
  return deps.store.workFolder(async folder => {
    const directory = join(folder, 'policy');
    const saved = await deps.engine.call('save', { directory, withOptimizer: withOptimizer(origin) }, supervision.call);
    const policy = { name: name(saved.sha256), sha256: saved.sha256 };
    const base = origin.update === null ? null : await adapterBase(deps.store, origin.run);
    const weights = base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE;
    // Gigabytes, of a real model: the engine took their hashes as it wrote them.
    const written = {
      [weights]: saved.sha256,
      ...(saved.optimizerSha256 && { [OPTIMIZER_FILE]: saved.optimizerSha256 }),
    };
    const hashes = await fileHashes(directory, written);
    const { [weights]: _, ...files } = hashes;
    const { parent, update } = origin;
    const state: CheckpointState = { ...policy, ...(base && { base }), parent, update, files };
    await writeFile(join(directory, STATE_FILE), `${JSON.stringify(state, null, 1)}\n`);
    supervision.check();
    const uri = uriOf(origin.run, policy.name);
    await deps.store.publishFolder(uri, directory, fence, hashes);
    return { name: policy.name, uri, sha256: policy.sha256 };
  });
}
