/** A policy's snapshot as a folder in the store: where it lies, and opened with every file of it checked. */
import { readFile } from 'node:fs/promises';
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

/** @throws MissingArtifactError if there is no snapshot */
export async function snapshotState(store: Store, policy: PolicyRef): Promise<CheckpointState> {
  const folder = await store.localFolder(snapshotUri(policy));
  return JSON.parse(await readFile(join(folder, STATE_FILE), 'utf8')) as CheckpointState;
}

/**
 * A snapshot's folder and, of an adapter, that of the model beneath, with every file compared with the hash that it was
 * published with. One that is damaged is set aside: the policy can be made again.
 * @throws CorruptArtifactError naming the file
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
  const folder = await store.localFolder(uri);
  const damaged = async (file: string, expected: string, found: string): Promise<Error> =>
    new CorruptArtifactError(uri, expected, found, { file, aside: await store.setAside(uri) });
  const text = await readFile(join(folder, STATE_FILE), 'utf8').catch(() => '');
  const state = parsed(text);
  if (!state) throw await damaged(STATE_FILE, 'of a JSON object', sha256(text));
  const { base = null, files } = state;
  const hashes: Record<string, string> = { [STATE_FILE]: sha256(text) };
  for (const [file, expected] of Object.entries({
    ...files,
    [base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE]: policy.sha256,
  })) {
    const found = wanted(file) ? await fileHash(join(folder, file)).catch(() => 'nothing') : expected;
    if (found !== expected) throw await damaged(file, expected, found);
    hashes[file] = expected;
  }
  const recorded = await store.recorded(uri);
  // Every other file is as it says, so what differs is the state itself.
  if (recorded !== null && folderHash(hashes) !== recorded)
    throw await damaged(STATE_FILE, `in a folder of ${recorded}`, hashes[STATE_FILE]!);
  return { folder, base };
}

function parsed(text: string): CheckpointState | null {
  try {
    return JSON.parse(text) as CheckpointState;
  } catch {
    return null;
  }
}
