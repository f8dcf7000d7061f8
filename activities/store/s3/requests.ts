/** Requests to a bucket, on the keys below a prefix: asked again while what went wrong may pass, and said in the store's terms. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { parseS3Address } from './address.js';
import { createClient } from './client.js';
import { isMissing, passes, translated } from './failures.js';
import { type ObjectSettings, settingsFields } from './object-settings.js';

/** How often a request is made that fails by what may pass. */
export const TRIES = 5;
const FIRST_PAUSE_MS = 100;

/** Before the next try. */
export const pause = (tries: number): Promise<void> => sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));

export class Requests {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  /** Of objects that are made from now on. */
  settings: ObjectSettings = {};

  /** @param root s3://bucket/prefix; throws S3AddressError */
  constructor(
    readonly root: string,
    environment: NodeJS.ProcessEnv,
  ) {
    const { bucket, prefix } = parseS3Address(root);
    this.bucket = bucket;
    this.prefix = prefix;
    this.client = createClient(environment);
  }

  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + key };
  }

  /** As `at`, for a request that makes an object. */
  making(key: string) {
    return { ...this.at(key), ...settingsFields(this.settings) };
  }

  /** What a request gives; null where the object, or the upload, is not there. */
  async again<T>(doing: string, ask: () => Promise<T>): Promise<T | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        if (isMissing(error)) return null;
        if (tries === TRIES || !passes(error)) throw translated(this.root, doing, error);
        await pause(tries);
      }
    }
  }
}
