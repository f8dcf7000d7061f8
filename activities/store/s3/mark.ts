/** The object that tells a store from a bucket, or a part of one, that holds something else. */
import { StoreFormatError, StoreMissingError } from '../store.js';
import type { S3Bucket } from './bucket.js';
import { tryBucket } from './probe.js';

const MARK = '.longhaul-store';
/** Of the keys beneath. */
const FORMAT = 1;

export class BucketMark {
  readonly #bucket: S3Bucket;
  /** Whether it was found, or made, before. */
  #known = false;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  /** Makes the store if there is none, in a bucket that is fit. Throws UnfitBucketError, StoreFormatError. */
  async make(): Promise<void> {
    if (await this.#find()) return;
    await tryBucket(this.#bucket);
    await this.#bucket.create(MARK, Buffer.from(`${JSON.stringify({ format: FORMAT })}\n`), {});
    await this.found();
  }

  /** Throws StoreMissingError, StoreFormatError. */
  async found(): Promise<void> {
    if (!(await this.#find())) throw new StoreMissingError(this.#bucket.root);
  }

  async #find(): Promise<boolean> {
    if (this.#known) return true;
    const object = await this.#bucket.get(MARK);
    if (!object) return false;
    const [, found] = /"format":\s*(\d+)/.exec(object.body.toString('utf8')) ?? [];
    if (found !== undefined && Number(found) > FORMAT)
      throw new StoreFormatError(this.#bucket.root, Number(found), FORMAT);
    this.#known = true;
    return true;
  }
}
