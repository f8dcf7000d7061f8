/** The requests that the store makes, on the keys below its prefix. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { parseS3Address } from './address.js';
import { isMissing, isRefused, passes, translated } from './failures.js';

export type Metadata = Record<string, string>;

/** An object as it lies there. */
export interface StoredObject {
  body: Buffer;
  etag: string;
  metadata: Metadata;
}

export interface Listed {
  key: string;
  modified: Date;
}

const TRIES = 5;
const FIRST_PAUSE_MS = 100;
const PART_BYTES = 16 << 20;
/** Of 10,000 that an upload may have. */
const MOST_PARTS = 9000;
/** A server that says nothing for so long is not there. */
const SILENCE_MS = 60_000;

export class S3Bucket {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  /** @param root s3://bucket/prefix; throws S3AddressError */
  constructor(
    readonly root: string,
    environment: NodeJS.ProcessEnv,
  ) {
    const { bucket, prefix } = parseS3Address(root);
    this.#bucket = bucket;
    this.#prefix = prefix;
    // It warns of versions of Node that later versions of it will not take: nothing for whoever runs this one.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    this.#client = new S3Client(clientSettings(environment));
  }

  /** The object; null if there is none. */
  get(key: string): Promise<StoredObject | null> {
    return this.#again(`reading ${key}`, async () => {
      const { Body, ETag, Metadata } = await this.#client.send(new GetObjectCommand(this.#at(key)));
      return { body: Buffer.from(await Body!.transformToByteArray()), etag: ETag ?? '', metadata: Metadata ?? {} };
    });
  }

  /** What is kept with an object; null if there is none, or no bucket. */
  head(key: string): Promise<Metadata | null> {
    return this.#again(`asking for ${key}`, async () => {
      return (await this.#client.send(new HeadObjectCommand(this.#at(key)))).Metadata ?? {};
    });
  }

  /** When an object was written, by the server's clock; null of one that is not there. */
  modified(key: string): Promise<Date | null> {
    return this.#again(`asking for ${key}`, async () => {
      return (await this.#client.send(new HeadObjectCommand(this.#at(key)))).LastModified ?? null;
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
        await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
      }
    }
  }

  /** Puts an object, over another unless `ifNoneMatch` is "*". Throws the server's own errors. */
  async put(key: string, body: Buffer, metadata: Metadata = {}, ifNoneMatch?: '*'): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        ...this.#at(key),
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
      await this.#client.send(new DeleteObjectCommand({ ...this.#at(key), ...(etag && { IfMatch: etag }) }));
      return true;
    } catch (error) {
      if (isMissing(error)) return true;
      if (isRefused(error)) return false;
      throw translated(this.root, `deleting ${key}`, error);
    }
  }

  /** Names directly below `folder` (ends with "/"), sorted. */
  async names(folder: string, pageSize?: number): Promise<string[]> {
    const start = this.#prefix.length + folder.length;
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
      for (const { Key, LastModified } of page.Contents ?? [])
        found.push({ key: Key!.slice(this.#prefix.length), modified: LastModified! });
    }
    return found;
  }

  /** Removes all objects below `folder`, and the uploads to there that were not completed. */
  async deleteBelow(folder: string): Promise<void> {
    for (const { key } of await this.below(folder)) await this.delete(key);
    const where = { Bucket: this.#bucket, Prefix: this.#prefix + folder };
    try {
      const { Uploads = [] } = await this.#client.send(new ListMultipartUploadsCommand(where));
      for (const { Key, UploadId } of Uploads)
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
    } catch (error) {
      if (!isMissing(error)) throw translated(this.root, `ending uploads to ${folder}`, error);
    }
  }

  async isEmpty(folder: string): Promise<boolean> {
    for await (const page of this.#pages(folder, undefined, 1)) if (page.Contents?.length) return false;
    return true;
  }

  /** Uploads a file in pieces, under a name of its own, so that it may be sent again. @returns SHA-256 of what was sent */
  async upload(key: string, path: string): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#sent(key, path);
      } catch (error) {
        if (tries === TRIES || !passes(error)) throw translated(this.root, `uploading ${key}`, error);
        await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
      }
    }
  }

  async #sent(key: string, path: string): Promise<string> {
    const hash = createHash('sha256');
    const { size } = await stat(path);
    const pieces = async function* () {
      for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
        hash.update(piece);
        yield piece;
      }
    };
    const upload = new Upload({
      client: this.#client,
      params: { ...this.#at(key), Body: Readable.from(pieces(), { objectMode: false }) },
      partSize: Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS)),
      queueSize: 2,
    });
    await upload.done();
    return hash.digest('hex');
  }

  /** SHA-256 of an object, which is also written to `path` if that is given; null if there is none. */
  download(key: string, path?: string): Promise<string | null> {
    return this.#again(`reading ${key}`, async () => {
      const hash = createHash('sha256');
      const { Body } = await this.#client.send(new GetObjectCommand(this.#at(key)));
      const hashed = async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          hash.update(piece);
          yield piece;
        }
      };
      await pipeline(Body as Readable, hashed, path ? createWriteStream(path) : nowhere());
      return hash.digest('hex');
    });
  }

  /** Where an object is; null if it is missing. Asks again where a body broke off, which the client leaves to its user. */
  async #again<T>(doing: string, ask: () => Promise<T>): Promise<T | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        if (isMissing(error)) return null;
        if (tries === 2 || !passes(error)) throw translated(this.root, doing, error);
        await sleep(FIRST_PAUSE_MS);
      }
    }
  }

  async *#pages(folder: string, delimiter?: string, pageSize?: number) {
    const settings = { client: this.#client, ...(pageSize && { pageSize }) };
    const query = { Bucket: this.#bucket, Prefix: this.#prefix + folder, ...(delimiter && { Delimiter: delimiter }) };
    try {
      yield* paginateListObjectsV2(settings, query);
    } catch (error) {
      throw translated(this.root, `listing ${folder}`, error);
    }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }
}

const nowhere = () => new Writable({ write: (_piece, _encoding, done) => done() });

/** Endpoint, region and credentials are found by the client itself, as by every AWS tool; this adds what that leaves open. */
function clientSettings(environment: NodeJS.ProcessEnv): S3ClientConfig {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || (endpoint ? 'us-east-1' : undefined);
  return {
    ...(region && { region }),
    // Servers of one's own seldom have a host name for each bucket.
    forcePathStyle: environment.LONGHAUL_S3_PATH_STYLE ? environment.LONGHAUL_S3_PATH_STYLE !== '0' : Boolean(endpoint),
    // What is read is checked by its SHA-256, and damage is the store's to tell: the client would only fail.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: SILENCE_MS },
  };
}
