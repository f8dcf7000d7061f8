/** From the model that an evaluation spec names to one that stays the same however often the evaluation goes on. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineKind } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { EngineRequestError } from '../engine/protocol/index.js';
import { policyOfRun, servedModelOf, textModelOf } from '../policies/index.js';
import { type EvaluationSpec, invalidEvaluation } from '../spec/index.js';
import { CorruptArtifactError, fileHash, folderHash, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import type { TextModel } from '../text/index.js';
import type { EvaluatedModel } from './plan.js';

/** Finds the model, and pins it: the newest policy is the newest of now. */
export async function pinModel(
  deps: Dependencies,
  { model: { run, policy = 'newest', folder, remote } }: EvaluationSpec,
  { call, note }: Supervision,
): Promise<EvaluatedModel> {
  if (remote) return { kind: 'remote', endpoint: remote };
  if (run !== undefined) {
    const found = await policyOfRun(deps.store, run, policy);
    if (typeof found !== 'string') return { kind: 'policy', run, policy: found, ...(await engineOf(deps.store, run)) };
    throw invalidEvaluation([{ path: 'model', problem: found }]);
  }
  note(`fetching ${folder}`);
  const { directory, source } = await refusing('model.folder', () => deps.models.resolve(folder!, call.signal));
  note(`hashing ${source}`);
  return { kind: 'folder', source, sha256: await weightsHash(directory) };
}

/** The engine that trained the run answers for its policies: what a service keeps no other has. */
async function engineOf(store: Store, run: string): Promise<{ engine?: EngineKind }> {
  return (await servedModelOf(store, run)) === null ? {} : { engine: 'tinker' };
}

/** The model as far as text is concerned; null of a remote one. */
export async function textModelFor(
  deps: Dependencies,
  model: EvaluatedModel,
  { call }: Supervision,
): Promise<TextModel | null> {
  if (model.kind === 'remote') return null;
  if (model.kind === 'policy') return textModelOf(deps, model.run);
  const { directory } = await deps.models.resolve(model.source, call.signal);
  return refusing('model.folder', () => deps.models.open(directory));
}

/** The folder of a model that has none in the store, its weights compared with what they were when it was pinned. */
export async function openPinned(
  deps: Dependencies,
  { source, sha256 }: Extract<EvaluatedModel, { kind: 'folder' }>,
  signal: AbortSignal,
): Promise<string> {
  const { directory } = await deps.models.resolve(source, signal);
  const found = await weightsHash(directory);
  if (found !== sha256) throw new CorruptArtifactError(source, sha256, found);
  return directory;
}

/** SHA-256 of a folder's one weights file, or of the list of all their hashes. */
async function weightsHash(directory: string): Promise<string> {
  const files = (await readdir(directory)).filter(file => file.endsWith('.safetensors')).sort();
  const hashes: Record<string, string> = {};
  for (const file of files) hashes[file] = await fileHash(join(directory, file));
  return files.length === 1 ? hashes[files[0]!]! : folderHash(hashes);
}

/** What no second try mends is the spec's mistake; a network that is away is not. */
export async function refusing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    throw invalidEvaluation([{ path, problem: error.message }]);
  }
}
