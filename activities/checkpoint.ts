/** A policy's snapshot as a folder in the store: where it lies, and opened with every file of it checked. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyRef } from '../workflows/contract.js';
import type { CheckpointState } from './artifacts.js';
import { ADAPTER_WEIGHTS_FILE } from './engine/adapter-folder.js';
import { WEIGHTS_FILE } from './engine/weights.js';
import { CorruptArtifactError, checkpointUri, fileHash, folderHash, runOf, type Store, sha256 } from './store/index.js';

export const STATE_FILE = 'state.json';

/** Where a policy's snapshot lies, once there is one. */
export function snapshotUri(policy: PolicyRef): string {
  return checkpointUri(runOf(policy.uri), policy.name);
}

/** What a policy's snapshot says of itself; null if there is none. */
export async function snapshotState(store: Store, policy: PolicyRef): Promise<CheckpointState | null> {
  const uri = snapshotUri(policy);
  if (!(await store.has(uri))) return null;
  try {
    const folder = await store.localFolder(uri);
    return JSON.parse(await readFile(join(folder, STATE_FILE), 'utf8')) as CheckpointState;
  } catch (error) {
    // Removed while it was opened: the stage has newer ones.
    if (!(await store.has(uri))) return null;
    throw error;
  }
}

/**
 * A snapshot's folder and, of an adapter, that of the model beneath, with every file compared with the hash that it was
 * published with. One that is damaged is set aside: the policy can be made again.
 * @throws CorruptArtifactError naming the file; MissingArtifactError if there is no snapshot, or no longer
 */
export async function openSnapshot(store: Store, policy: PolicyRef): Promise<{ folder: string; base: string | null }> {
  const { folder, base } = await checkSnapshot(store, policy, () => true);
  return { folder, base: base ? (await openSnapshot(store, base)).folder : null };
}

/** The snapshot's folder for those who read its small files only: the weights in it are not checked. */
export async function openSmallFiles(store: Store, policy: PolicyRef): Promise<string> {
  return (await checkSnapshot(store, policy, file => !file.endsWith('.safetensors'))).folder;
}

async function checkSnapshot(
  store: Store,
  policy: PolicyRef,
  wanted: (file: string) => boolean,
): Promise<{ folder: string; base: PolicyRef | null }> {
  const uri = snapshotUri(policy);
  for (;;) {
    const folder = await store.localFolder(uri);
    const opened = await identityOf(folder);
    const found = await examined(folder, policy, await store.recorded(uri), wanted);
    if ('base' in found) return { folder, base: found.base };
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
): Promise<{ base: PolicyRef | null } | Damage> {
  const text = await readFile(join(folder, STATE_FILE), 'utf8').catch(() => '');
  const state = parsed(text);
  if (!state) return { file: STATE_FILE, expected: 'of a JSON object', hash: sha256(text) };
  const { base = null, files } = state;
  const hashes: Record<string, string> = { [STATE_FILE]: sha256(text) };
  for (const [file, expected] of Object.entries({
    ...files,
    [base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE]: policy.sha256,
  })) {
    const hash = wanted(file) ? await fileHash(join(folder, file)).catch(() => 'nothing') : expected;
    if (hash !== expected) return { file, expected, hash };
    hashes[file] = expected;
  }
  // Every other file is as it says, so what differs is the state itself.
  if (recorded !== null && folderHash(hashes) !== recorded)
    return { file: STATE_FILE, expected: `in a folder of ${recorded}`, hash: hashes[STATE_FILE]! };
  return { base };
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
