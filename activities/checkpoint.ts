/** A policy's snapshot as a folder in the store: where it lies, and opened with every file of it checked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyRef } from '../workflows/contract.js';
import type { CheckpointState } from './artifacts.js';
import { ADAPTER_WEIGHTS_FILE } from './engine/adapter-folder.js';
import { WEIGHTS_FILE } from './engine/weights.js';
import { CorruptArtifactError, checkpointUri, fileHash, runOf, type Store } from './store/index.js';

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
 * published with.
 * @throws CorruptArtifactError naming the file
 */
export async function openSnapshot(store: Store, policy: PolicyRef): Promise<{ folder: string; base: string | null }> {
  const uri = snapshotUri(policy);
  const folder = await store.localFolder(uri);
  const { base, files } = await snapshotState(store, policy);
  const weights = base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE;
  for (const [file, expected] of Object.entries({ ...files, [weights]: policy.sha256 })) {
    const found = await fileHash(join(folder, file));
    if (found !== expected) throw new CorruptArtifactError(`${uri}/${file}`, expected, found);
  }
  return { folder, base: base ? (await openSnapshot(store, base)).folder : null };
}
