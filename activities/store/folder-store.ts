/**
 * The store as a folder. Everything is written under `.work/` on the same file system, synced, and then linked or
 * renamed into place, both of which the file system does at once or not at all and never over something published.
 */
import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256 } from './canonical.js';
import { checkFence } from './claims.js';
import { exists, isCode, sync, unlessGone, unlessThere } from './files.js';
import { fileHash, fileHashes, filesBelow, folderHash } from './hash.js';
import { asideUri, divergedUri, storeSegments } from './layout.js';
import { StoreRoot } from './root.js';
import {
  type ArtifactRef,
  absence,
  CorruptArtifactError,
  DivergenceError,
  type Fence,
  type FoundText,
  type OpenedStore,
  StoreAwayError,
} from './store.js';
import { readSum, type Sum, sumText } from './sums.js';
import { sweepUnfinished, workName } from './unfinished.js';

/** Hidden from uris, which have no hidden segments. */
export const WORK = '.work';
/** Beside each artifact: a file of its name with the hash that it was published with. */
export const SUMS = '.sums';

export class FolderStore implements OpenedStore {
  readonly #root: StoreRoot;

  /** @param root an existing or new folder; created on first use */
  constructor(root: string) {
    this.#root = new StoreRoot(root);
  }

  get root(): string {
    return this.#root.path;
  }

  create(): Promise<void> {
    return this.#root.ready();
  }

  open(): Promise<void> {
    return this.#root.found();
  }

  async publishText(uri: string, text: string, fence?: Fence, identity?: string): Promise<ArtifactRef> {
    const target = this.pathOf(uri);
    return this.withTemporary(text, async temporary => {
      await checkFence(this, fence);
      const hash = sha256(text);
      const offered = { sha256: hash, identity: identity ?? hash };
      const way = { put: () => link(temporary, target), hash: () => fileHash(target) };
      return { uri, sha256: await this.place(uri, offered, temporary, way) };
    });
  }

  async publishFirst(uri: string, text: string, fence?: Fence): Promise<ArtifactRef> {
    const target = this.pathOf(uri);
    return this.withTemporary(text, async temporary => {
      await checkFence(this, fence);
      await this.#root.makeFolder(dirname(target));
      const placed = await unlessThere(() => link(temporary, target));
      await sync(dirname(target));
      return { uri, sha256: placed ? sha256(text) : await fileHash(target) };
    });
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
    await checkFence(this, fence);
    const hash = async () => folderHash(await fileHashes(target));
    const way = { put: () => rename(folder, target), hash };
    return { uri, sha256: await this.place(uri, { sha256: offered, identity: offered }, folder, way) };
  }

  async find(uri: string): Promise<ArtifactRef | null> {
    return (await this.found(uri))?.ref ?? null;
  }

  async findText(uri: string): Promise<FoundText | null> {
    const found = await this.found(uri);
    return found && { ref: found.ref, text: found.bytes.toString('utf8') };
  }

  private async found(uri: string): Promise<{ ref: ArtifactRef; bytes: Buffer } | null> {
    try {
      const bytes = await readFile(this.pathOf(uri));
      const found = sha256(bytes);
      const recorded = await this.recorded(uri);
      // Whoever published it ended before the hash was recorded.
      if (recorded === null) await this.record(uri, { sha256: found, identity: found }).catch(unlessReadOnly);
      if (recorded === null || recorded === found) return { ref: { uri, sha256: found }, bytes };
    } catch (error) {
      return await this.absent(error, null);
    }
    await this.setAside(uri);
    return null;
  }

  async has(uri: string): Promise<boolean> {
    if (await exists(this.pathOf(uri))) return true;
    await this.#root.there();
    return false;
  }

  async readText(ref: ArtifactRef): Promise<string> {
    const bytes = await readFile(this.pathOf(ref.uri)).catch(async (error: unknown) => {
      throw await this.absent(error, await absence(this, ref.uri, `looked in ${this.root}`));
    });
    const found = sha256(bytes);
    if (found === ref.sha256) return bytes.toString('utf8');
    // As it was published, it is the reference that is another's.
    const aside = (await this.recorded(ref.uri)) === found ? null : await this.setAside(ref.uri);
    throw new CorruptArtifactError(ref.uri, ref.sha256, found, { aside });
  }

  async recorded(uri: string): Promise<string | null> {
    return (await this.sum(uri))?.sha256 ?? null;
  }

  async publishedAt(uri: string): Promise<Date | null> {
    try {
      return (await stat(this.pathOf(uri))).mtime;
    } catch (error) {
      return await this.absent(error, null);
    }
  }

  private async sum(uri: string): Promise<Sum | null> {
    const text = await readFile(this.sumOf(uri), 'utf8').catch((error: unknown) => {
      if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return '';
      throw error;
    });
    return readSum(text);
  }

  async setAside(uri: string): Promise<string> {
    const path = this.pathOf(uri);
    const name = (copy: number) => asideUri(uri, copy);
    let copy = 1;
    while (await exists(this.pathOf(name(copy)))) copy++;
    // Another may have been quicker.
    await unlessGone(() => rename(path, this.pathOf(name(copy))));
    return name(copy);
  }

  async remove(uri: string, fence?: Fence): Promise<void> {
    await checkFence(this, fence);
    const path = this.pathOf(uri);
    const away = await this.workPath();
    // The hash goes first: content without one is whole, a hash without content would be a damage.
    await this.forget(uri);
    if (await unlessGone(() => rename(path, away))) await sync(dirname(path));
    // Somebody may have published the same meanwhile, and recorded it just before it went.
    await this.forget(uri);
    await rm(away, { recursive: true, force: true });
  }

  async list(uri: string): Promise<string[]> {
    try {
      return (await readdir(this.pathOf(uri))).filter(name => !name.startsWith('.')).sort();
    } catch (error) {
      return await this.absent(error, []);
    }
  }

  async localFolder(uri: string): Promise<string> {
    const path = this.pathOf(uri);
    if (!(await this.has(uri))) throw await absence(this, uri, `looked in ${this.root}`);
    return path;
  }

  async workFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return this.withWork(async folder => {
      await mkdir(folder);
      return use(folder);
    });
  }

  async fileSizes(uri: string): Promise<Record<string, number>> {
    const folder = await this.localFolder(uri);
    const sizes: Record<string, number> = {};
    for (const file of await filesBelow(folder)) sizes[file] = (await stat(join(folder, file))).size;
    return sizes;
  }

  sweep(): Promise<void> {
    return sweepUnfinished(join(this.root, WORK));
  }

  placeOf(uri: string): string {
    return this.pathOf(uri);
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
   * @returns hash of what lies there now
   */
  private async place(
    uri: string,
    offered: Sum,
    content: string,
    { put, hash }: { put: () => Promise<void>; hash: () => Promise<string> },
  ): Promise<string> {
    const target = this.pathOf(uri);
    await this.#root.ready();
    await this.#root.makeFolder(dirname(target));
    const recorded = await this.sum(uri);
    const isSame = recorded?.identity === offered.identity || recorded?.sha256 === offered.sha256;
    if (recorded && !isSame) throw await this.diverged(uri, recorded.sha256, offered.sha256, content);
    while (!(await unlessThere(put))) {
      const published = await hash().catch((error: unknown) => {
        if (isCode(error, 'ENOENT')) return null;
        throw error;
      });
      // Removed while it was read: the name is free.
      if (published === null) continue;
      if (published === recorded?.sha256) return published;
      if (published === offered.sha256) break;
      if (!recorded) throw await this.diverged(uri, published, offered.sha256, content);
      await this.setAside(uri);
    }
    await sync(dirname(target));
    if (recorded?.sha256 !== offered.sha256) await this.record(uri, offered);
    return offered.sha256;
  }

  private async record(uri: string, sum: Sum): Promise<void> {
    const file = this.sumOf(uri);
    await this.#root.makeFolder(dirname(file));
    const temporary = await this.workPath();
    await writeFile(temporary, sumText(sum));
    await rename(temporary, file);
  }

  private async forget(uri: string): Promise<void> {
    const sum = this.sumOf(uri);
    if (await unlessGone(() => unlink(sum))) await sync(dirname(sum));
  }

  /** A new name under the work folder. Throws StoreAwayError rather than make a second store where the first one was. */
  private async workPath(): Promise<string> {
    await this.#root.ready();
    const folder = join(this.root, WORK);
    await this.#root.makeFolder(folder);
    return join(folder, workName());
  }

  /** What is answered where a file is not there, if the store as a whole is. Other errors are thrown. */
  private async absent<T>(error: unknown, answer: T): Promise<T> {
    if (!isCode(error, 'ENOENT')) throw error;
    await this.#root.there();
    return answer;
  }

  /** With a synced file of its own under the work folder. */
  private withTemporary<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
    return this.withWork(async path => {
      const handle = await open(path, 'wx');
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return use(path);
    });
  }

  /** With a name under the work folder. Nobody takes away what is made there: what is missing went with the store. */
  private async withWork<T>(use: (path: string) => Promise<T>): Promise<T> {
    try {
      const path = await this.workPath();
      try {
        return await use(path);
      } finally {
        await rm(path, { recursive: true, force: true });
      }
    } catch (error) {
      const path = isCode(error, 'ENOENT') ? (error as NodeJS.ErrnoException).path : null;
      throw path?.startsWith(this.root) ? new StoreAwayError(this.root) : error;
    }
  }

  /** Keeps the divergent content beside what is published, for inspection, and says so. */
  private async diverged(uri: string, published: string, offered: string, content: string): Promise<DivergenceError> {
    const kept = divergedUri(uri, offered);
    await unlessThere(() => rename(content, this.pathOf(kept)));
    return new DivergenceError(uri, published, offered, kept);
  }
}

/** A store that may only be read is as good to readers. */
function unlessReadOnly(error: unknown): void {
  if (!isCode(error, 'EROFS') && !isCode(error, 'EACCES')) throw error;
}
