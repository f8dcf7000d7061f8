/** All that a store in a bucket holds. */
import { sha256 } from '../canonical.js';
import { inTurn } from '../in-parallel.js';
import type { Entry, Inventory, Leftover } from '../inventory.js';
import { absence, CorruptArtifactError } from '../store.js';
import { readSum, type Sum, sumText } from '../sums.js';
import { type Listed, S3Bucket } from './bucket.js';
import { type Manifest, Parts } from './parts.js';
import { ARTIFACTS, artifactKey, examined, type Found, recordOf, SUMS, sumKey } from './records.js';
import { S3Store } from './s3-store.js';

export class S3Inventory implements Inventory {
  readonly store: S3Store;
  readonly bucket: S3Bucket;
  readonly parts: Parts;

  /** As S3Store's. */
  constructor(root: string, environment: NodeJS.ProcessEnv = process.env) {
    this.bucket = new S3Bucket(root, environment);
    this.store = new S3Store(root, environment, this.bucket);
    this.parts = new Parts(this.bucket);
  }

  async *entries(): AsyncGenerator<Entry> {
    const artifacts = await this.bucket.below(ARTIFACTS);
    yield* inTurn(artifacts, object => this.#entry(object));
    const there = new Set(artifacts.map(({ key }) => key.slice(ARTIFACTS.length)));
    const gone = (await this.bucket.below(SUMS)).filter(({ key }) => !there.has(key.slice(SUMS.length)));
    yield* inTurn(gone, async ({ key }) => {
      const sum = readSum(String((await this.bucket.get(key))?.body ?? ''));
      return sum && { uri: `store:${key.slice(SUMS.length)}`, kind: null, sum, bytes: null };
    });
  }

  async damageOf({ uri, kind, sum }: Entry): Promise<string | null> {
    if (kind === null) return 'was set aside as damaged, and has not been made again';
    const found = await this.#found(uri);
    if (!found) return 'is gone';
    if (!sum) return null;
    if (kind === 'folder' && !found.manifest) return 'its manifest is damaged';
    if (found.sha256 !== sum.sha256) return `expected sha256 ${sum.sha256}, found ${found.sha256}`;
    if (!found.manifest) return null;
    const damaged = await this.parts.damaged(found.manifest);
    return damaged && `its file ${damaged} is damaged or gone`;
  }

  async leftovers(): Promise<Leftover[]> {
    return (await this.parts.unfinished()).map(({ parts, keys: [key = ''], writerLives, bytes, uploads }) => ({
      what: `${parts}/ (of ${key.slice(ARTIFACTS.length)}${uploads > 0 ? `, ${uploads} uploads not completed` : ''})`,
      bytes,
      writerLives,
    }));
  }

  async textOf({ uri, sum }: Entry): Promise<string> {
    const object = await this.bucket.get(artifactKey(uri));
    if (!object) throw await absence(this.store, uri, `looked in ${this.store.root}`);
    const found = sha256(object.body);
    if (sum && found !== sum.sha256) throw new CorruptArtifactError(uri, sum.sha256, found);
    return object.body.toString('utf8');
  }

  async folderOf({ uri, sum }: Entry): Promise<string> {
    const found = await this.#found(uri);
    if (!found) throw await absence(this.store, uri, `looked in ${this.store.root}`);
    if (!found.manifest) throw new CorruptArtifactError(uri, sum?.sha256 ?? 'of a folder', found.sha256);
    return this.store.cached(found.manifest, Object.keys(found.manifest.files), async (file, expected, sha256) => {
      throw new CorruptArtifactError(uri, expected, sha256, { file });
    });
  }

  async addFolder(uri: string, folder: string): Promise<void> {
    await this.store.publishFolder(uri, folder);
  }

  record(uri: string, sum: Sum): Promise<void> {
    return this.bucket.write(sumKey(uri), sumText(sum));
  }

  async #found(uri: string): Promise<Found | null> {
    const object = await this.bucket.get(artifactKey(uri));
    return object && examined(object);
  }

  async #entry({ key, bytes }: Listed): Promise<Entry | null> {
    const metadata = await this.bucket.head(key);
    if (!metadata) return null;
    const { kind = 'file', sum = null } = recordOf(metadata) ?? {};
    const uri = `store:${key.slice(ARTIFACTS.length)}`;
    if (kind === 'file') return { uri, kind, sum, bytes };
    const manifest = (await this.#found(uri))?.manifest;
    return { uri, kind, sum, bytes: manifest ? bytesOf(manifest) : null };
  }
}

const bytesOf = ({ files }: Manifest): number => Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
