/** What the store asks of its bucket, on the keys below its prefix. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Downloads } from './downloads.js';
import { isMissing, isRefused, passes, translated } from './failures.js';
import { pause, Requests, TRIES } from './requests.js';
import { Uploads } from './uploads.js';

export type Metadata = Record<string, string>;

/** An object as it lies there. */
export interface StoredObject {
  body: Buffer;
  etag: string;
  metadata: Metadata;
}

export interface Listed {
  key: string;
  bytes: number;
  modified: Date;
}

export class S3Bucket {
  readonly requests: Requests;
  readonly uploads: Uploads;
  readonly downloads: Downloads;

  readonly root: string;

  /** @param root s3://bucket/prefix; throws S3AddressError */
  constructor(root: string, environment: NodeJS.ProcessEnv) {
    this.root = root.replace(/\/+$/, '');
    this.requests = new Requests(this.root, environment);
    this.uploads = new Uploads(this.requests);
    this.downloads = new Downloads(this.requests);
  }

  /** The object; null if there is none. */
  get(key: string): Promise<StoredObject | null> {
    return this.requests.again(`reading ${key}`, async () => {
      const { Body, ETag, Metadata } = await this.requests.client.send(new GetObjectCommand(this.requests.at(key)));
      return { body: Buffer.from(await Body!.transformToByteArray()), etag: ETag ?? '', metadata: Metadata ?? {} };
    });
  }

  /** What is kept with an object; null if there is none, or no bucket. */
  head(key: string): Promise<Metadata | null> {
    return this.requests.again(`asking for ${key}`, async () => {
      return (await this.requests.client.send(new HeadObjectCommand(this.requests.at(key)))).Metadata ?? {};
    });
  }

  /** When an object was put; null if there is none. */
  modified(key: string): Promise<Date | null> {
    return this.requests.again(`asking for ${key}`, async () => {
      return (await this.requests.client.send(new HeadObjectCommand(this.requests.at(key)))).LastModified!;
    });
  }

  /**
   * Puts an object where none is. The answer alone does not tell who made what lies there: after a lost one the client
   * asks again by itself, and the writer that won is refused. So whatever the error, what lies there is read back.
   * @returns null when it was made; else what lies there, which may be what was offered
   */
  async create(key: string, body: Buffer, metadata: Metadata): Promise<StoredObject | null> {
    for (let tries = 1; ; tries++) {
      try {
        await this.put(key, body, metadata, '*');
        return null;
      } catch (error) {
        const there = await this.get(key);
        if (there) return there;
        // Refused though nothing is there: it was removed meanwhile, and the name is free.
        if (tries === TRIES || !(passes(error) || isRefused(error)))
          throw translated(this.root, `creating ${key}`, error);
        await pause(tries);
      }
    }
  }

  /** Puts an object, over another unless `ifNoneMatch` is "*". Throws the server's own errors. */
  async put(key: string, body: Buffer, metadata: Metadata = {}, ifNoneMatch?: '*'): Promise<void> {
    await this.requests.client.send(
      new PutObjectCommand({
        ...this.requests.making(key),
        Body: body,
        Metadata: metadata,
        ...(ifNoneMatch && { IfNoneMatch: ifNoneMatch }),
      }),
    );
  }

  /** Puts an object that is written once, or again with the same content. */
  async write(key: string, text: string): Promise<void> {
    await this.put(key, Buffer.from(text)).catch((error: unknown) => {
      throw translated(this.root, `writing ${key}`, error);
    });
  }

  /**
   * Removes an object; nothing happens where none is.
   * @param etag only if it is this one
   * @returns whether it is gone
   */
  async delete(key: string, etag?: string): Promise<boolean> {
    try {
      await this.requests.client.send(
        new DeleteObjectCommand({ ...this.requests.at(key), ...(etag && { IfMatch: etag }) }),
      );
      return true;
    } catch (error) {
      if (isMissing(error)) return true;
      if (isRefused(error)) return false;
      throw translated(this.root, `deleting ${key}`, error);
    }
  }

  /** Names directly below `folder` (ends with "/"), sorted. */
  async names(folder: string, pageSize?: number): Promise<string[]> {
    const start = this.requests.prefix.length + folder.length;
    const found: string[] = [];
    for await (const page of this.#pages(folder, '/', pageSize)) {
      for (const { Prefix } of page.CommonPrefixes ?? []) found.push(Prefix!.slice(start, -1));
      for (const { Key } of page.Contents ?? []) found.push(Key!.slice(start));
    }
    return found.filter(name => name !== '').sort();
  }

  /** All objects below `folder` (ends with "/"). */
  async below(folder: string): Promise<Listed[]> {
    const found: Listed[] = [];
    for await (const page of this.#pages(folder)) {
      for (const { Key, Size, LastModified } of page.Contents ?? [])
        found.push({ key: Key!.slice(this.requests.prefix.length), bytes: Size ?? 0, modified: LastModified! });
    }
    return found;
  }

  /** Removes all objects below `folder`, and the uploads to there that were not completed. */
  async deleteBelow(folder: string): Promise<void> {
    for (const { key } of await this.below(folder)) await this.delete(key);
    for (const upload of await this.uploads.unfinished(folder)) await this.uploads.abort(upload);
  }

  async isEmpty(folder: string): Promise<boolean> {
    for await (const page of this.#pages(folder, undefined, 1)) if (page.Contents?.length) return false;
    return true;
  }

  async *#pages(folder: string, delimiter?: string, pageSize?: number) {
    const settings = { client: this.requests.client, ...(pageSize && { pageSize }) };
    const query = {
      Bucket: this.requests.bucket,
      Prefix: this.requests.prefix + folder,
      ...(delimiter && { Delimiter: delimiter }),
    };
    try {
      yield* paginateListObjectsV2(settings, query);
    } catch (error) {
      throw translated(this.root, `listing ${folder}`, error);
    }
  }
}
