/** All that a store in a folder holds. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from './canonical.js';
import { exists, isCode } from './files.js';
import { type FolderStore, SUMS, WORK } from './folder-store.js';
import { fileHash, fileHashes, filesBelow, folderHash } from './hash.js';
import type { Entry, Inventory, Leftover } from './inventory.js';
import { isAside, isSegment, storeUri } from './layout.js';
import { absence, CorruptArtifactError } from './store.js';
import { readSum, type Sum, sumText } from './sums.js';
import { writerLives } from './unfinished.js';

export class FolderInventory implements Inventory {
  constructor(readonly store: FolderStore) {}

  entries(): AsyncIterable<Entry> {
    return this.#below([]);
  }

  async damageOf(entry: Entry): Promise<string | null> {
    const { uri, kind, sum } = entry;
    if (kind === null) return 'was set aside as damaged, and has not been made again';
    if (!sum) return null;
    const path = this.store.placeOf(uri);
    const found = kind === 'file' ? await fileHash(path) : folderHash(await fileHashes(path));
    return found === sum.sha256 ? null : `expected sha256 ${sum.sha256}, found ${found}`;
  }

  async leftovers(): Promise<Leftover[]> {
    const names = await readdir(join(this.store.root, WORK)).catch(() => []);
    return Promise.all(
      names.map(async name => ({
        what: `${WORK}/${name}`,
        bytes: await sizeOf(join(this.store.root, WORK, name)),
        writerLives: writerLives(name),
      })),
    );
  }

  async textOf({ uri, sum }: Entry): Promise<string> {
    const bytes = await readFile(this.store.placeOf(uri)).catch(async (error: unknown) => {
      throw isCode(error, 'ENOENT') ? await absence(this.store, uri, `looked in ${this.store.root}`) : error;
    });
    const found = sha256(bytes);
    if (sum && found !== sum.sha256) throw new CorruptArtifactError(uri, sum.sha256, found);
    return bytes.toString('utf8');
  }

  async folderOf({ uri, sum }: Entry): Promise<string> {
    const path = await this.store.localFolder(uri);
    const found = sum && folderHash(await fileHashes(path));
    if (sum && found !== sum.sha256) throw new CorruptArtifactError(uri, sum.sha256, found);
    return path;
  }

  async addFolder(uri: string, folder: string): Promise<void> {
    await this.store.workFolder(async work => {
      const copy = join(work, 'folder');
      await mkdir(copy);
      for (const file of await filesBelow(folder)) {
        await mkdir(dirname(join(copy, file)), { recursive: true });
        // Where the file system can, it shares the blocks.
        await copyFile(join(folder, file), join(copy, file), constants.COPYFILE_FICLONE);
      }
      await this.store.publishFolder(uri, copy);
    });
  }

  async record(uri: string, sum: Sum): Promise<void> {
    const path = this.store.placeOf(uri);
    const file = join(dirname(path), SUMS, path.slice(dirname(path).length + 1));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, sumText(sum));
  }

  async *#below(segments: string[]): AsyncGenerator<Entry> {
    const folder = join(this.store.root, ...segments);
    const there = new Map((await readdir(folder, { withFileTypes: true })).map(entry => [entry.name, entry]));
    const recorded: string[] = await readdir(join(folder, SUMS)).catch(() => []);
    const names = [...new Set([...there.keys(), ...recorded])].filter(isSegment).sort();
    for (const name of names) {
      const uri = storeUri(...segments, name);
      const path = join(folder, name);
      const isFolder = there.get(name)?.isDirectory() ?? false;
      const isRecorded = recorded.includes(name);
      if (isFolder && !isRecorded && !isAside(uri) && !(await isArtifact(path))) {
        yield* this.#below([...segments, name]);
        continue;
      }
      const sum = isRecorded ? readSum(await readFile(join(folder, SUMS, name), 'utf8').catch(() => '')) : null;
      const kind = there.has(name) ? (isFolder ? 'folder' : 'file') : null;
      // Removed meanwhile, or never published.
      if (kind === null && !sum) continue;
      yield { uri, kind, sum, bytes: kind ? await sizeOf(path) : null };
    }
  }
}

/** Of a folder whose publisher ended before its hash was recorded: it has files, and no hashes of them beside. */
async function isArtifact(path: string): Promise<boolean> {
  if (await exists(join(path, SUMS))) return false;
  return (await readdir(path, { withFileTypes: true })).some(entry => entry.isFile());
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) return found?.size ?? 0;
  const files = await filesBelow(path).catch(() => []);
  const sizes = await Promise.all(files.map(file => stat(join(path, file)).catch(() => null)));
  return sizes.reduce((sum, size) => sum + (size?.size ?? 0), 0);
}
