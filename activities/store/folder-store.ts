/**
 * The store as a folder. Everything is written under `.work/` on the same file system, synced, and then linked or
 * renamed into place, both of which the file system does at once or not at all and never over something published.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { canonicalJson, sha256 } from './canonical.js';
import { fileHash, fileHashes, filesBelow, folderHash } from './hash.js';
import { storeSegments } from './layout.js';
import {
  type ArtifactRef,
  absence,
  type Claim,
  CorruptArtifactError,
  DivergenceError,
  type Fence,
  StaleAttemptError,
  type Store,
} from './store.js';

/** Hidden from uris, which have no hidden segments. */
const WORK = '.work';
/** Beside each artifact: a file of its name with the hash that it was published with. */
const SUMS = '.sums';
const ABANDONED_MS = 24 * 60 * 60 * 1000;

export class FolderStore implements Store {
  readonly root: string;

  /** @param root an existing or new folder; created on first use */
  constructor(root: string) {
    this.root = resolve(root);
  }

  async publishText(uri: string, text: string, fence?: Fence): Promise<ArtifactRef> {
    const target = this.pathOf(uri);
    const temporary = await this.writeTemporary(text);
    try {
      await this.checkFence(fence);
      const offered = sha256(text);
      await this.place(uri, offered, temporary, { put: () => link(temporary, target), hash: () => fileHash(target) });
      return { uri, sha256: offered };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async publishFirst(uri: string, text: string, fence?: Fence): Promise<ArtifactRef> {
    const target = this.pathOf(uri);
    const temporary = await this.writeTemporary(text);
    try {
      await this.checkFence(fence);
      await makeFolder(dirname(target));
      const placed = await unlessThere(() => link(temporary, target));
      await sync(dirname(target));
      return { uri, sha256: placed ? sha256(text) : await fileHash(target) };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async publishFolder(
    uri: string,
    folder: string,
    fence?: Fence,
    known?: Readonly<Record<string, string>>,
  ): Promise<ArtifactRef> {
    const target = this.pathOf(uri);
    const files = await filesBelow(folder);
    const paths = files.map(file => join(folder, file));
    // Hashes are taken while the disk writes.
    const [hashes] = await Promise.all([fileHashes(folder, known), ...paths.map(sync)]);
    await Promise.all([...new Set(paths.map(dirname))].map(sync));
    const offered = folderHash(hashes);
    await this.checkFence(fence);
    const hash = async () => folderHash(await fileHashes(target));
    await this.place(uri, offered, folder, { put: () => rename(folder, target), hash });
    return { uri, sha256: offered };
  }

  async find(uri: string): Promise<ArtifactRef | null> {
    try {
      const found = sha256(await readFile(this.pathOf(uri)));
      const recorded = await this.recorded(uri);
      if (recorded === null || recorded === found) return { uri, sha256: found };
    } catch (error) {
      if (isCode(error, 'ENOENT')) return null;
      throw error;
    }
    await this.setAside(uri);
    return null;
  }

  has(uri: string): Promise<boolean> {
    return exists(this.pathOf(uri));
  }

  async readText(ref: ArtifactRef): Promise<string> {
    const bytes = await readFile(this.pathOf(ref.uri)).catch(async (error: unknown) => {
      throw isCode(error, 'ENOENT') ? await absence(this, ref.uri, `looked in ${this.root}`) : error;
    });
    const found = sha256(bytes);
    if (found === ref.sha256) return bytes.toString('utf8');
    // As it was published, it is the reference that is another's.
    const aside = (await this.recorded(ref.uri)) === found ? null : await this.setAside(ref.uri);
    throw new CorruptArtifactError(ref.uri, ref.sha256, found, { aside });
  }

  async recorded(uri: string): Promise<string | null> {
    const text = await readFile(this.sumOf(uri), 'utf8').catch(() => '');
    return /^[0-9a-f]{64}$/.test(text) ? text : null;
  }

  async setAside(uri: string): Promise<string> {
    const path = this.pathOf(uri);
    const name = (copy: number) => `${uri}.damaged${copy === 1 ? '' : `-${copy}`}`;
    let copy = 1;
    while (await exists(this.pathOf(name(copy)))) copy++;
    await rename(path, this.pathOf(name(copy))).catch((error: unknown) => {
      // Another was quicker.
      if (!isCode(error, 'ENOENT')) throw error;
    });
    return name(copy);
  }

  async list(uri: string): Promise<string[]> {
    try {
      return (await readdir(this.pathOf(uri))).filter(name => !name.startsWith('.')).sort();
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  async localFolder(uri: string): Promise<string> {
    const path = this.pathOf(uri);
    if (!(await exists(path))) throw await absence(this, uri, `looked in ${this.root}`);
    return path;
  }

  async workFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.root, WORK, randomUUID());
    await mkdir(folder, { recursive: true });
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async claim(marker: string, claim: Claim): Promise<void> {
    const current = await this.claimed(marker);
    if (current && current.attempt > claim.attempt) {
      throw new StaleAttemptError(marker, claim.attempt, current.attempt);
    }
    if (current && current.attempt === claim.attempt) {
      const [published, offered] = [canonicalJson(current), canonicalJson(claim)];
      if (published !== offered) throw new DivergenceError(marker, sha256(published), sha256(offered), null);
      return;
    }
    const target = this.pathOf(marker);
    const temporary = await this.writeTemporary(`${JSON.stringify(claim)}\n`);
    await makeFolder(dirname(target));
    await rename(temporary, target);
    await sync(dirname(target));
  }

  async claimed(marker: string): Promise<Claim | null> {
    try {
      return JSON.parse(await readFile(this.pathOf(marker), 'utf8')) as Claim;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return null;
      throw error;
    }
  }

  /** Removes what writers that were killed left behind: work untouched for more than a day. */
  async sweep(): Promise<void> {
    const folder = join(this.root, WORK);
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found && found.mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { recursive: true, force: true });
    }
  }

  private pathOf(uri: string): string {
    return join(this.root, ...storeSegments(uri));
  }

  private sumOf(uri: string): string {
    const path = this.pathOf(uri);
    return join(dirname(path), SUMS, basename(path));
  }

  /**
   * Puts content under its name, unless that has the same there already; damaged content gives way to what it was. The
   * hash is recorded once the content is in place, so a record is never wrong; a crash in between leaves none.
   */
  private async place(
    uri: string,
    offered: string,
    content: string,
    { put, hash }: { put: () => Promise<void>; hash: () => Promise<string> },
  ): Promise<void> {
    const target = this.pathOf(uri);
    await makeFolder(dirname(target));
    const recorded = await this.recorded(uri);
    if (recorded !== null && recorded !== offered) throw await this.diverged(uri, recorded, offered, content);
    for (;;) {
      if (await unlessThere(put)) break;
      const published = await hash();
      if (published === offered) break;
      if (recorded !== offered) throw await this.diverged(uri, published, offered, content);
      await this.setAside(uri);
    }
    await sync(dirname(target));
    if (recorded === null) await this.record(uri, offered);
  }

  private async record(uri: string, sha256: string): Promise<void> {
    const sum = this.sumOf(uri);
    await mkdir(dirname(sum), { recursive: true });
    const temporary = join(this.root, WORK, randomUUID());
    await mkdir(dirname(temporary), { recursive: true });
    await writeFile(temporary, sha256);
    await rename(temporary, sum);
  }

  /** A synced file of its own under the work folder. */
  private async writeTemporary(text: string): Promise<string> {
    const folder = join(this.root, WORK);
    await mkdir(folder, { recursive: true });
    const path = join(folder, randomUUID());
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return path;
  }

  private async checkFence(fence: Fence | undefined): Promise<void> {
    if (!fence) return;
    const current = await this.claimed(fence.marker);
    if (current && current.attempt > fence.attempt) {
      throw new StaleAttemptError(fence.marker, fence.attempt, current.attempt);
    }
  }

  /** Keeps the divergent content beside what is published, for inspection, and says so. */
  private async diverged(uri: string, published: string, offered: string, content: string): Promise<DivergenceError> {
    const kept = `${uri}.diverged-${offered.slice(0, 12)}`;
    await unlessThere(() => rename(content, this.pathOf(kept)));
    return new DivergenceError(uri, published, offered, kept);
  }
}

/** Flushes a file, or a folder's entries, to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** mkdir -p whose new folders survive a power cut: each new entry is synced into its parent. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await sync(dirname(folder));
}

/** Runs a placing operation; false if something already lies there. */
async function unlessThere(place: () => Promise<void>): Promise<boolean> {
  try {
    await place();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST') || isCode(error, 'ENOTEMPTY')) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
