/**
 * The object that tells a store from a bucket, or a part of one, that holds something else. It says how the store's objects
 * are kept, so that all who write there keep them so.
 */
import { StoreFormatError, StoreMissingError } from '../store.js';
import type { S3Bucket } from './bucket.js';
import { checkSettings, type ObjectSettings } from './object-settings.js';
import { tryBucket } from './probe.js';

const MARK = '.longhaul-store';
/** Of the keys beneath. */
const FORMAT = 1;

interface Mark {
  format: number;
  objects?: ObjectSettings;
}

export class BucketMark {
  readonly #bucket: S3Bucket;
  /** Whether it was found, or made, before. */
  #known = false;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  /**
   * Makes the store if there is none, in a bucket that is fit.
   * @param objects how objects are kept from now on; where the store is there, as it has it unless some are given
   * @throws UnfitBucketError, StoreFormatError, RangeError
   */
  async make(objects: ObjectSettings = {}): Promise<void> {
    checkSettings(objects);
    const isGiven = Object.values(objects).some(value => value !== undefined);
    const isThere = await this.#find();
    if (isThere && !isGiven) return;
    // Tried with them too.
    if (isGiven) this.#bucket.requests.settings = objects;
    await tryBucket(this.#bucket);
    const mark: Mark = { format: FORMAT, ...(isGiven && { objects }) };
    const text = `${JSON.stringify(mark)}\n`;
    if (isThere) await this.#bucket.write(MARK, text);
    else await this.#bucket.create(MARK, Buffer.from(text), {});
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
    const mark = readMark(object.body.toString('utf8'));
    if (mark.format > FORMAT) throw new StoreFormatError(this.#bucket.root, mark.format, FORMAT);
    this.#bucket.requests.settings = mark.objects ?? {};
    this.#known = true;
    return true;
  }
}

/** One that is damaged is taken for one of today's: it says no more than that a store is here. */
function readMark(text: string): Mark {
  try {
    const { format, objects } = JSON.parse(text) as Partial<Mark>;
    return { format: Number(format) || FORMAT, ...(objects && { objects }) };
  } catch {
    return { format: FORMAT };
  }
}
