/** A policy as a folder in the store, its snapshot or its weights alone: where that lies, and opened with every file checked. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointState, UnreadableSnapshotError } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import { WEIGHTS_FILE } from '../engine/files/index.js';
import { ADAPTER_WEIGHTS_FILE, OPTIMIZER_FILE } from '../engine/folders/index.js';
import { EngineRequestError } from '../engine/protocol/index.js';
import {
  CorruptArtifactError,
  checkpointUri,
  fileHash,
  folderHash,
  runOf,
  type Store,
  sha256,
} from '../store/index.js';

export const STATE_FILE = 'state.json';

/** The file that a policy's SHA-256 is of. @param base of an adapter: the policy beneath */
export const usualWeights = (base: PolicyRef | null | undefined): string =>
  base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE;

/** Where a policy's snapshot lies, once there is one. */
export function snapshotUri(policy: PolicyRef): string {
  return checkpointUri(runOf(policy.uri), policy.name);
}

/** What a policy's snapshot says of itself; null if there is none. */
export async function snapshotState(store: Store, policy: PolicyRef): Promise<CheckpointState | null> {
  const uri = snapshotUri(policy);
  if (!(await store.has(uri))) return null;
  try {
    const folder = await store.localFolder(uri, file => file === STATE_FILE);
    return JSON.parse(await readFile(join(folder, STATE_FILE), 'utf8')) as CheckpointState;
  } catch (error) {
    // Removed while it was opened: the stage has newer ones.
    if (!(await store.has(uri))) return null;
    throw error;
  }
}

/** Which of a snapshot's files are read: all of them, or all but the optimiser's state. */
type Part = 'whole' | 'weights';

/** Where the files of a snapshot lie. */
export interface Snapshot {
  folder: string;
  /** The folder of the model beneath; null where all weights are trained. */
  base: string | null;
  /** Whether there is an optimiser's state in the folder or where it points to, and it is asked for. */
  withOptimizer: boolean;
}

/**
 * A snapshot and, of an adapter, the model beneath, with every file that is to be read compared with the hash that it was
 * published with. One that is damaged is set aside: the policy can be made again.
 * @throws CorruptArtifactError naming the file; MissingArtifactError if there is no snapshot, or no longer
 */
export async function openSnapshot(
  store: Store,
  policy: PolicyRef,
  part: Part = 'whole',
  uri = snapshotUri(policy),
): Promise<Snapshot> {
  const { folder, state } = await checkFolder(store, policy, uri, file => part === 'whole' || file !== OPTIMIZER_FILE);
  const base = state.base ? (await openSnapshot(store, state.base, 'weights')).folder : null;
  return { folder, base, withOptimizer: part === 'whole' && state.update !== null };
}

/** A snapshot in the terms of the engine's requests. */
export interface SnapshotModel {
  directory: string;
  adapter: { directory: string } | null;
  /** Said, not looked for: what is not found where a disk is away must not pass for never trained. */
  optimizer: string | null;
}

/**
 * Has the engine read a snapshot, checked before. Throws UnreadableSnapshotError, and what `openSnapshot` throws.
 * @param part `weights`: as if it had no optimiser state, which is twice their size and then not looked at
 * @param uri where the folder lies
 */
export async function withSnapshot<T>(
  store: Store,
  policy: PolicyRef,
  part: Part,
  read: (model: SnapshotModel) => Promise<T>,
  uri = snapshotUri(policy),
): Promise<T> {
  const { folder, base, withOptimizer } = await openSnapshot(store, policy, part, uri);
  const model = base ? { directory: base, adapter: { directory: folder } } : { directory: folder, adapter: null };
  try {
    return await read({ ...model, optimizer: withOptimizer ? folder : null });
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    if (error.code === 'bad-model') throw new UnreadableSnapshotError(uri, error);
    // What the folder names is no longer kept by the service: like any damage, it is made again from the log.
    if (error.code === 'gone')
      throw new CorruptArtifactError(uri, policy.sha256, null, { aside: await store.setAside(uri) });
    throw error;
  }
}

/** The snapshot's folder for those who read its small files only: the weights in it are not checked. */
export async function openSmallFiles(store: Store, policy: PolicyRef): Promise<string> {
  return (await checkFolder(store, policy, snapshotUri(policy), file => !file.endsWith('.safetensors'))).folder;
}

async function checkFolder(
  store: Store,
  policy: PolicyRef,
  uri: string,
  wanted: (file: string) => boolean,
): Promise<{ folder: string; state: CheckpointState }> {
  for (;;) {
    const folder = await store.localFolder(uri, file => file === STATE_FILE || wanted(file));
    const opened = await identityOf(folder);
    const found = await examined(folder, policy, await store.recorded(uri), wanted);
    if ('state' in found) return { folder, state: found.state };
    // Removed while it was read, and perhaps made again since: what was missed then says nothing of what is there.
    if (opened === null || (await identityOf(folder)) !== opened) continue;
    const { file, expected, hash } = found;
    throw new CorruptArtifactError(uri, expected, hash, { file, aside: await store.setAside(uri) });
  }
}

/** A file that is not as it was published. */
interface Damage {
  file: string;
  expected: string;
  hash: string;
}

/** @param recorded hash that the folder was published with, if that is known */
async function examined(
  folder: string,
  policy: PolicyRef,
  recorded: string | null,
  wanted: (file: string) => boolean,
): Promise<{ state: CheckpointState } | Damage> {
  const text = await readFile(join(folder, STATE_FILE), 'utf8').catch(() => '');
  const state = parsed(text);
  if (!state) return { file: STATE_FILE, expected: 'of a JSON object', hash: sha256(text) };
  const { base, files, weights = usualWeights(base) } = state;
  const hashes: Record<string, string> = { [STATE_FILE]: sha256(text) };
  for (const [file, expected] of Object.entries({ ...files, ...(weights !== null && { [weights]: policy.sha256 }) })) {
    const hash = wanted(file) ? await fileHash(join(folder, file)).catch(() => 'nothing') : expected;
    if (hash !== expected) return { file, expected, hash };
    hashes[file] = expected;
  }
  // Every other file is as it says, so what differs is the state itself.
  if (recorded !== null && folderHash(hashes) !== recorded)
    return { file: STATE_FILE, expected: `in a folder of ${recorded}`, hash: hashes[STATE_FILE]! };
  return { state };
}

/** Tells a folder from another that has its name later; null if there is none. */
async function identityOf(folder: string): Promise<string | null> {
  const found = await stat(folder).catch(() => null);
  return found && `${found.ino} ${found.birthtimeMs} ${found.mtimeMs}`;
}

function parsed(text: string): CheckpointState | null {
  try {
    return JSON.parse(text) as CheckpointState;
  } catch {
    return null;
  }
}
