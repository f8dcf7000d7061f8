/**
 * The store in a bucket. An artifact is published by the creation of one object, which a server with conditional writes
 * does at once or not at all and never over another: a file's object is its content, a folder's is a manifest of its files,
 * which were uploaded before.
 *
 *   artifacts/<uri>   files and manifests, with the hash they were published with
 *   sums/<uri>        that hash, of what was set aside as damaged and not made again yet
 *   parts/…           files of folders (see parts.ts)
 *   unfinished/…      what is being published or removed (see notes.ts)
 */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../canonical.js';
import { checkFence } from '../claims.js';
import { fileHashes, folderHash } from '../hash.js';
import { asideUri, divergedUri } from '../layout.js';
import {
  type ArtifactRef,
  absence,
  CorruptArtifactError,
  DivergenceError,
  type Fence,
  type FoundText,
  type OpenedStore,
} from '../store.js';
import { readSum, type Sum, sumText } from '../sums.js';
import { S3Bucket } from './bucket.js';
import { cacheSettings, FolderCache } from './cache.js';
import { BucketMark } from './mark.js';
import type { ObjectSettings } from './object-settings.js';
import { KEPT_MS, type Manifest, manifestText, Parts, partKey } from './parts.js';
import { artifactKey, examined, type Found, type Kind, metadataOf, recordOf, sumKey } from './records.js';

export class S3Store implements OpenedStore {
  readonly root: string;
  readonly #bucket: S3Bucket;
  readonly #cache: FolderCache;
  readonly #mark: BucketMark;
  readonly #parts: Parts;

  /**
   * @param root s3://bucket/prefix
   * @param environment endpoint, region, credentials (as for every AWS tool), LONGHAUL_S3_PATH_STYLE, LONGHAUL_STORE_CACHE
   * @param bucket of that address, where whoever asks has one
   * @throws S3AddressError; RangeError for a bound of the cache that is none
   */
  constructor(root: string, environment: NodeJS.ProcessEnv = process.env, bucket = new S3Bucket(root, environment)) {
    this.root = bucket.root;
    this.#bucket = bucket;
    this.#cache = new FolderCache(cacheSettings(environment));
    this.#mark = new BucketMark(this.#bucket);
    this.#parts = new Parts(this.#bucket);
  }

  /** Tries the server first. Throws UnfitBucketError when it does not keep what the store relies on; StoreFormatError. */
  create(objects?: ObjectSettings): Promise<void> {
    return this.#mark.make(objects);
  }

  open(): Promise<void> {
    return this.#mark.found();
  }

  async sweep(kept: number = KEPT_MS): Promise<void> {
    await this.#cache.sweep(kept);
    await this.#parts.sweep(kept);
  }

  placeOf(uri: string): string {
    return `${this.root}/${artifactKey(uri)}`;
  }

  async publishText(uri: string, text: string, fence?: Fence, identity?: string): Promise<ArtifactRef> {
    artifactKey(uri);
    await this.#mark.found();
    const body = Buffer.from(text);
    const hash = sha256(body);
    const offered = { sha256: hash, identity: identity ?? hash };
    return { uri, sha256: (await this.#place(uri, 'file', offered, body, fence)).sha256 };
  }

  async publishFirst(uri: string, text: string, fence?: Fence): Promise<ArtifactRef> {
    const key = artifactKey(uri);
    await this.#mark.found();
    await checkFence(this, fence);
    const body = Buffer.from(text);
    const hash = sha256(body);
    const there = await this.#bucket.create(key, body, metadataOf('file', { sha256: hash, identity: hash }));
    return { uri, sha256: there ? sha256(there.body) : hash };
  }

  async publishFolder(
    uri: string,
    folder: string,
    fence?: Fence,
    known?: Readonly<Record<string, string>>,
  ): Promise<ArtifactRef> {
    const key = artifactKey(uri);
    const hashes = await fileHashes(folder, known);
    const files: Manifest['files'] = {};
    for (const [file, hash] of Object.entries(hashes))
      files[file] = { sha256: hash, bytes: (await stat(join(folder, file))).size };
    const offered = folderHash(hashes);
    const sum = { sha256: offered, identity: offered };
    await this.#mark.found();
    await checkFence(this, fence);
    if (await this.#isThere(uri, sum)) return { uri, sha256: offered };
    const keys = [key, artifactKey(divergedUri(uri, offered))];
    // The upload takes its time, after which the fence is checked once more.
    await this.#parts.publish(
      folder,
      offered,
      files,
      keys,
      async manifest => (await this.#place(uri, 'folder', sum, Buffer.from(manifestText(manifest)), fence)).parts,
    );
    return { uri, sha256: offered };
  }

  async find(uri: string): Promise<ArtifactRef | null> {
    return (await this.#found(uri))?.ref ?? null;
  }

  async findText(uri: string): Promise<FoundText | null> {
    const found = await this.#found(uri);
    return found && { ref: found.ref, text: found.body.toString('utf8') };
  }

  async #found(uri: string): Promise<{ ref: ArtifactRef; body: Buffer } | null> {
    const found = await this.#get(uri);
    if (!found) return null;
    if (found.kind === 'folder') throw new Error(`${uri} is a folder: expected a file`);
    if (found.sum === null || found.sum.sha256 === found.sha256)
      return { ref: { uri, sha256: found.sha256 }, body: found.object.body };
    await this.setAside(uri);
    return null;
  }

  async has(uri: string): Promise<boolean> {
    const key = artifactKey(uri);
    return (await this.#bucket.head(key)) !== null || !(await this.#bucket.isEmpty(`${key}/`));
  }

  publishedAt(uri: string): Promise<Date | null> {
    return this.#bucket.modified(artifactKey(uri));
  }

  async readText(ref: ArtifactRef): Promise<string> {
    const found = await this.#get(ref.uri);
    if (!found) throw await absence(this, ref.uri, `looked in ${this.root}`);
    if (found.sha256 === ref.sha256) return found.object.body.toString('utf8');
    // As it was published, it is the reference that is another's.
    const aside = found.sum?.sha256 === found.sha256 ? null : await this.setAside(ref.uri);
    throw new CorruptArtifactError(ref.uri, ref.sha256, found.sha256, { aside });
  }

  list(uri: string): Promise<string[]> {
    return this.#bucket.names(`${artifactKey(uri)}/`);
  }

  async recorded(uri: string): Promise<string | null> {
    const metadata = await this.#bucket.head(artifactKey(uri));
    const sum = metadata ? recordOf(metadata)?.sum : await this.#sum(uri);
    return sum?.sha256 ?? null;
  }

  async setAside(uri: string): Promise<string> {
    const key = artifactKey(uri);
    const name = (copy: number) => asideUri(uri, copy);
    for (let copy = 1; ; copy++) {
      const object = await this.#bucket.get(key);
      // Another was quicker.
      if (!object) return name(Math.max(1, copy - 1));
      const record = recordOf(object.metadata);
      // First what it was, so that it is never as if it had never been published.
      if (record) await this.#bucket.write(sumKey(uri), sumText(record.sum));
      if (await this.#bucket.create(artifactKey(name(copy)), object.body, {})) continue;
      // Only what was looked at: it may have been made again since.
      await this.#bucket.delete(key, object.etag);
      return name(copy);
    }
  }

  async remove(uri: string, fence?: Fence): Promise<void> {
    const key = artifactKey(uri);
    await checkFence(this, fence);
    for (;;) {
      // The hash goes first: content without one is whole, a hash without content would be a damage.
      await this.#bucket.delete(sumKey(uri));
      const found = await this.#get(uri);
      if (!found) return;
      const { etag } = found.object;
      if (!found.manifest) {
        if (await this.#bucket.delete(key, etag)) return;
        continue;
      }
      const { parts } = found.manifest;
      const removed = await this.#parts.withdraw(parts, key, () => this.#bucket.delete(key, etag));
      if (removed) return;
    }
  }

  async localFolder(uri: string, wanted: (file: string) => boolean = () => true): Promise<string> {
    const { manifest, object } = await this.#folder(uri);
    const files = Object.keys(manifest.files).filter(wanted);
    return this.cached(manifest, files, async (file, expected, fetched) => {
      // Removed while it was fetched, or damaged?
      const now = await this.#bucket.get(artifactKey(uri));
      if (now?.etag !== object.etag) throw await absence(this, uri, `looked in ${this.root}`);
      throw new CorruptArtifactError(uri, expected, fetched, { file, aside: await this.setAside(uri) });
    });
  }

  /**
   * Files of a folder on this machine.
   * @param damaged throws the error of a file that is not as it was published: what it should be and is, null if it is gone
   */
  cached(
    manifest: Manifest,
    files: readonly string[],
    damaged: (file: string, expected: string, found: string | null) => Promise<never>,
  ): Promise<string> {
    const name = sha256(`${this.root} ${manifest.parts}`);
    const wanted = Object.fromEntries(files.map(file => [file, manifest.files[file]!]));
    return this.#cache.folder(name, wanted, async (file, path) => {
      const told = wanted[file]!;
      const fetched = await this.#bucket.downloads.fetch({ key: partKey(manifest, file), path, ...told });
      if (fetched !== told.sha256) await damaged(file, told.sha256, fetched);
    });
  }

  async fileSizes(uri: string): Promise<Record<string, number>> {
    const { manifest } = await this.#folder(uri);
    return Object.fromEntries(Object.entries(manifest.files).map(([file, { bytes }]) => [file, bytes]));
  }

  async workFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.#cache.workPath();
    await mkdir(folder);
    try {
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #folder(uri: string): Promise<Found & { manifest: Manifest }> {
    const found = await this.#get(uri);
    if (!found) throw await absence(this, uri, `looked in ${this.root}`);
    const { manifest, sum } = found;
    if (manifest) return { ...found, manifest };
    if (found.kind === 'file') throw new Error(`${uri} is a file: expected a folder`);
    throw new CorruptArtifactError(uri, sum?.sha256 ?? 'of a folder', found.sha256, {
      aside: await this.setAside(uri),
    });
  }

  async #get(uri: string): Promise<Found | null> {
    const object = await this.#bucket.get(artifactKey(uri));
    return object && examined(object);
  }

  /** What was published under `uri` and set aside. */
  async #sum(uri: string): Promise<Sum | null> {
    const object = await this.#bucket.get(sumKey(uri));
    return object && readSum(object.body.toString('utf8'));
  }

  /**
   * Looks at what lies there before a folder is uploaded: what is damaged gives way.
   * @returns whether the same is there, whole; else it is to be published, be it to be kept as divergent
   */
  async #isThere(uri: string, offered: Sum): Promise<boolean> {
    const found = await this.#get(uri);
    if (!found?.manifest || found.sum?.sha256 !== offered.sha256) return false;
    if ((await this.#parts.damaged(found.manifest)) === null) return true;
    await this.setAside(uri);
    return false;
  }

  /**
   * Puts content under its name, unless that has the same there already; damaged content gives way to what it was.
   * @returns hash of what lies there now, and where the files are, of a folder
   */
  async #place(
    uri: string,
    kind: Kind,
    offered: Sum,
    body: Buffer,
    fence: Fence | undefined,
  ): Promise<{ sha256: string; parts?: string }> {
    const key = artifactKey(uri);
    const metadata = metadataOf(kind, offered);
    const diverged = (published: string) => this.#diverged(uri, published, offered.sha256, body, metadata);
    for (;;) {
      // Neither rests on the other, and each is a way to the server and back.
      const [before] = await Promise.all([this.#sum(uri), checkFence(this, fence)]);
      if (before && !isSame(before, offered)) throw await diverged(before.sha256);
      const object = await this.#bucket.create(key, body, metadata);
      const found = examined(object ?? { body, metadata, etag: '' });
      if (found.sum && !isSame(found.sum, offered)) throw await diverged(found.sum.sha256);
      if (found.sha256 === (found.sum ?? offered).sha256)
        return { sha256: found.sha256, ...(found.manifest && { parts: found.manifest.parts }) };
      if (!found.sum) throw await diverged(found.sha256);
      await this.setAside(uri);
    }
  }

  /** Keeps the divergent content beside what is published, for inspection, and says so. */
  async #diverged(
    uri: string,
    published: string,
    offered: string,
    body: Buffer,
    metadata: Record<string, string>,
  ): Promise<DivergenceError> {
    const kept = divergedUri(uri, offered);
    await this.#bucket.create(artifactKey(kept), body, metadata);
    return new DivergenceError(uri, published, offered, kept);
  }
}

const isSame = (published: Sum, offered: Sum): boolean =>
  published.identity === offered.identity || published.sha256 === offered.sha256;
