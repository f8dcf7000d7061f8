/** One store into another, of whatever kinds: all that is published, checked, and what is there already left out. */
import { sha256 } from './canonical.js';
import { inParallel } from './in-parallel.js';
import type { Entry, Inventory } from './inventory.js';
import { isAside } from './layout.js';
import { CorruptArtifactError, MissingArtifactError } from './store.js';

/** Files at once; folders have files to copy at once themselves. */
const AT_ONCE = 8;

export interface Copied {
  /** Artifacts that were copied, and those that were there. */
  copied: number;
  there: number;
  /** Bytes of those that were copied. */
  bytes: number;
  /** Kept for inspection where they are: not copied. */
  aside: number;
  /** What is damaged at its source, in words: not copied. */
  damaged: string[];
}

/**
 * May be repeated, and goes on where it stopped.
 * @param told is told of each artifact that was copied
 * @throws DivergenceError where the target has other content under a name
 */
export async function copyStore(from: Inventory, to: Inventory, told: (copied: Copied) => void): Promise<Copied> {
  await to.store.create();
  const copied: Copied = { copied: 0, there: 0, bytes: 0, aside: 0, damaged: [] };
  const folders: Entry[] = [];
  const one = async (entry: Entry) => {
    if (await isThere(from, to, entry)) {
      copied.there++;
      return;
    }
    try {
      await copyOne(from, to, entry);
      copied.copied++;
      copied.bytes += entry.bytes ?? 0;
      told(copied);
    } catch (error) {
      if (error instanceof CorruptArtifactError) copied.damaged.push(error.message);
      // Removed meanwhile.
      else if (!(error instanceof MissingArtifactError)) throw error;
    }
  };
  await inParallel(from.entries(), AT_ONCE, async entry => {
    if (isAside(entry.uri)) copied.aside++;
    else if (entry.kind === 'folder') folders.push(entry);
    else await one(entry);
  });
  for (const folder of folders) await one(folder);
  return copied;
}

async function isThere(from: Inventory, { store }: Inventory, entry: Entry): Promise<boolean> {
  const { uri, kind } = entry;
  const recorded = await store.recorded(uri);
  if (!recorded || recorded !== (await hashOfEntry(from, entry))) return false;
  return kind === null || (await store.has(uri));
}

/** Of a file that was kept as divergent it may not be noted. */
async function hashOfEntry(from: Inventory, entry: Entry): Promise<string | null> {
  if (entry.sum) return entry.sum.sha256;
  return entry.kind === 'file' ? sha256(await from.textOf(entry)) : null;
}

async function copyOne(from: Inventory, to: Inventory, entry: Entry): Promise<void> {
  const { uri, kind, sum } = entry;
  if (kind === 'file') await to.store.publishText(uri, await from.textOf(entry), undefined, sum?.identity);
  else if (kind === 'folder') await to.addFolder(uri, await from.folderOf(entry));
  else await to.record(uri, sum!);
}
