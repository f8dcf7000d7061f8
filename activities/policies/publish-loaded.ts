/** The policy that the engine holds, written as a folder of the store. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointState } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import { OPTIMIZER_FILE, plainName } from '../engine/folders/index.js';
import type { FreshAdapter } from '../engine/protocol/index.js';
import { promiseOf } from '../provenance/index.js';
import { adapterOf, type RunSpec, servedModel } from '../spec/index.js';
import {
  absence,
  baseUri,
  checkpointUri,
  DivergenceError,
  type Fence,
  fileHashes,
  findJson,
  type Store,
  specUri,
  weightsUri,
} from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { STATE_FILE, usualWeights } from './checkpoint.js';

/** What a service calls the run's model; null where the workers train it. */
export async function servedModelOf(store: Store, run: string): Promise<string | null> {
  return servedModel(await readPublished<RunSpec>(store, specUri(run)));
}

/** What a run that trains an adapter begins with: a function of its spec, so the base's snapshot need not hold it. */
export async function freshAdapter(store: Store, run: string): Promise<{ fresh: FreshAdapter } | null> {
  const spec = await readPublished<RunSpec>(store, specUri(run));
  const settings = adapterOf(spec);
  if (!settings) return null;
  return { fresh: { settings, seed: spec.seed, baseModel: servedModel(spec) ?? plainName(spec.model) } };
}

async function readPublished<T>(store: Store, uri: string): Promise<T> {
  const found = await findJson<T>(store, uri);
  if (!found) throw await absence(store, uri, 'the run was not prepared');
  return found.value;
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
 * @param identity the policy's name and SHA-256 as they are logged, given the SHA-256 of its weights: a base is named by it
 */
export async function publishLoaded(
  deps: PolicyDependencies,
  origin: Origin,
  identity: (sha256: string) => Pick<PolicyRef, 'name' | 'sha256'>,
  supervision: Supervision,
  { fence, as = 'checkpoint' }: { fence?: Fence | undefined; as?: keyof typeof FOLDERS } = {},
): Promise<PolicyRef> {
  const { uriOf, withOptimizer } = FOLDERS[as];
  return deps.store.workFolder(async folder => {
    const directory = join(folder, 'policy');
    const saved = await deps.engine.call('save', { directory, withOptimizer: withOptimizer(origin) }, supervision.call);
    const { name, sha256 } = identity(saved.sha256);
    const uri = uriOf(origin.run, name);
    if (promiseOf(deps.numerics) === 'bits' && saved.sha256 !== sha256)
      throw new DivergenceError(uri, sha256, saved.sha256, null);
    const base = origin.update === null ? null : await adapterBase(deps.store, origin.run);
    // Gigabytes, of a real model: the engine took their hashes as it wrote them.
    const written = {
      [saved.file]: saved.sha256,
      ...(saved.optimizerSha256 && { [OPTIMIZER_FILE]: saved.optimizerSha256 }),
    };
    const hashes = await fileHashes(directory, written);
    const { parent, update } = origin;
    const weights = saved.sha256 === sha256 ? saved.file : null;
    const files = Object.fromEntries(Object.entries(hashes).filter(([file]) => file !== weights));
    const state: CheckpointState = {
      ...{ name, sha256 },
      ...(base && { base }),
      ...(weights !== usualWeights(base) && { weights }),
      ...{ parent, update, files },
    };
    await writeFile(join(directory, STATE_FILE), `${JSON.stringify(state, null, 1)}\n`);
    supervision.check();
    await deps.store.publishFolder(uri, directory, fence, hashes);
    return { name, uri, sha256 };
  });
}
