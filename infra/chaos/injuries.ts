/** What became of the files that were damaged. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSnapshot, STATE_FILE } from '../../activities/policies/index.js';
import { CorruptArtifactError, FolderStore, MissingArtifactError } from '../../activities/store/index.js';
import type { FaultRecord, Outcome } from './report.js';
import type { Injury } from './stores/chaos-store.js';

/** A fault's damaged file: as it was again, or still damaged and then found by whoever reads it. */
export async function withOutcome(
  store: string,
  record: FaultRecord,
  injuries: Map<number, Injury>,
): Promise<FaultRecord> {
  const injury = injuries.get(record.number);
  if (!injury) return record;
  const { path } = injury;
  if (await isWhole(store, injury)) return { ...record, injury: { path, outcome: 'repaired' } };
  return { ...record, injury: { path, outcome: await outcomeOf(new FolderStore(store), path) } };
}

/** What was in the files that are not as they were, by their paths. */
export async function losses(store: string, injuries: Iterable<Injury>): Promise<Map<string, Buffer>> {
  const lost = new Map<string, Buffer>();
  for (const injury of injuries)
    if (!(await isWhole(store, injury))) lost.set(join(store, injury.path), injury.content);
  return lost;
}

async function isWhole(store: string, { path, content }: Injury): Promise<boolean> {
  const found = await readFile(join(store, path)).catch(() => null);
  return found?.equals(content) ?? false;
}

/** Reads what is damaged as the activities do. */
async function outcomeOf(store: FolderStore, path: string): Promise<Outcome> {
  const [, checkpoint] = /^(runs\/[^/]+\/checkpoints\/[^/]+)\//.exec(path) ?? [];
  if (!checkpoint) {
    if ((await store.find(`store:${path}`)) === null) return 'found, not read in the run';
    // Whole, and not to the letter what it was: the part of it that is no function of its inputs.
    return (await store.has(`store:${path}.damaged`)) ? 'repaired' : 'not found';
  }
  const uri = `store:${checkpoint}`;
  const state = await readFile(join(store.root, checkpoint, STATE_FILE), 'utf8').catch(() => '');
  const [, sha256 = ''] = /"sha256": "([0-9a-f]{64})"/.exec(state) ?? [];
  const policy = { uri, name: checkpoint.slice(checkpoint.lastIndexOf('/') + 1), sha256 };
  return openSnapshot(store, policy).then(
    () => 'not found',
    error => {
      if (error instanceof MissingArtifactError) return 'removed';
      return error instanceof CorruptArtifactError ? 'found, not read in the run' : 'not found';
    },
  );
}
