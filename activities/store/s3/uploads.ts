/**
 * Files on their way into a bucket: in pieces, which stay where an upload breaks off, and are not sent again by whoever goes
 * on with it. An object appears only once all that was read of the file has the hash that its writer said.
 */
import { createHash, webcrypto } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
  type Part,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { inParallel } from '../in-parallel.js';
import { passes, translated } from './failures.js';
import { isSmall, type Piece, planOf } from './pieces.js';
import { pause, type Requests, TRIES } from './requests.js';

/** A file, where it goes, and what it is said to be. */
export interface Outgoing {
  key: string;
  path: string;
  sha256: string;
  bytes: number;
}

/** An upload that has been begun and not completed. */
export interface OpenUpload {
  key: string;
  id: string;
  began: Date;
}

/** With each object that was uploaded: its hash. */
const SHA256 = 'longhaul-sha256';

export class Uploads {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /**
   * @param resumed goes on with what another left under the key
   * @throws Error when the file is not what it is said to be; StoreAwayError
   */
  async send(file: Outgoing, resumed = false): Promise<void> {
    if (resumed && (await this.#isThere(file))) return;
    const handle = await open(file.path, 'r');
    try {
      await (isSmall(file.bytes) ? this.#sendWhole(file, handle) : this.#sendPieces(file, handle, resumed));
    } finally {
      await handle.close();
    }
  }

  /** Of keys that begin so. */
  async unfinished(prefix: string): Promise<OpenUpload[]> {
    const { bucket: Bucket, prefix: store } = this.#requests;
    const found: OpenUpload[] = [];
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const query = { Bucket, Prefix: store + prefix, ...marker };
      const page = await this.#requests.again(`listing uploads to ${prefix}`, () =>
        this.#requests.client.send(new ListMultipartUploadsCommand(query)),
      );
      for (const { Key, UploadId, Initiated } of page?.Uploads ?? ([] as MultipartUpload[])) {
        // Some servers list those of other keys too.
        if (!Key!.startsWith(store + prefix)) continue;
        found.push({ key: Key!.slice(store.length), id: UploadId!, began: Initiated ?? new Date(0) });
      }
      if (!page?.IsTruncated || !page.NextKeyMarker) return found;
      marker = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }),
      };
    }
  }

  /** Takes away what was sent of it. */
  async abort({ key, id }: Pick<OpenUpload, 'key' | 'id'>): Promise<void> {
    const { client } = this.#requests;
    await this.#requests.again(`ending an upload to ${key}`, () =>
      client.send(new AbortMultipartUploadCommand({ ...this.#requests.at(key), UploadId: id })),
    );
  }

  /** Bytes of what was sent of it. */
  async sentOf(upload: OpenUpload): Promise<number> {
    const parts = await this.#partsOf(upload.key, upload.id);
    return (parts ?? []).reduce((sum, { Size }) => sum + (Size ?? 0), 0);
  }

  async #sendWhole(file: Outgoing, handle: FileHandle): Promise<void> {
    const body = await read(handle, { number: 1, start: 0, bytes: file.bytes });
    checkRead(file, createHash('sha256').update(body).digest('hex'));
    const request = { ...this.#requests.making(file.key), Body: body, Metadata: { [SHA256]: file.sha256 } };
    const command = new PutObjectCommand(request);
    command.middlewareStack.add(signedBy(file.sha256), { step: 'build' });
    await this.#requests.again(`uploading ${file.key}`, () => this.#requests.client.send(command));
  }

  async #sendPieces(file: Outgoing, handle: FileHandle, resumed: boolean): Promise<void> {
    const before = resumed ? await this.#before(file) : null;
    const id = before?.id ?? (await this.#begin(file));
    const { pieces, concurrency } = planOf(file.bytes);
    const hash = createHash('sha256');
    const inOrder = async function* () {
      for (const piece of pieces) {
        const body = await read(handle, piece);
        hash.update(body);
        yield { piece, body };
      }
    };
    const there = new Map(before?.parts.map(part => [part.PartNumber, part]));
    const parts: CompletedPart[] = [];
    await inParallel(inOrder(), concurrency, async ({ piece, body }) => {
      parts[piece.number - 1] = await this.#sendPiece(file, id, piece, body, there.get(piece.number));
    });
    const found = hash.digest('hex');
    if (found !== file.sha256) await this.abort({ key: file.key, id });
    checkRead(file, found);
    await this.#complete(file, id, parts);
  }

  async #begin({ key, sha256 }: Outgoing): Promise<string> {
    const request = { ...this.#requests.making(key), Metadata: { [SHA256]: sha256 } };
    const begun = await this.#requests.again(`beginning an upload to ${key}`, () =>
      this.#requests.client.send(new CreateMultipartUploadCommand({ ...request, ChecksumAlgorithm: 'SHA256' })),
    );
    if (!begun?.UploadId) throw new Error(`${this.#requests.root}: beginning an upload to ${key}: no upload was begun`);
    return begun.UploadId;
  }

  /** The newest upload under the key, and what was sent of it. */
  async #before({ key }: Outgoing): Promise<{ id: string; parts: Part[] } | null> {
    const open = (await this.unfinished(key)).filter(upload => upload.key === key);
    const [newest, ...others] = open.sort((a, b) => b.began.getTime() - a.began.getTime());
    for (const other of others) await this.abort(other);
    const parts = newest && (await this.#partsOf(key, newest.id));
    return parts ? { id: newest!.id, parts } : null;
  }

  /** Null when there is no such upload any more. */
  async #partsOf(key: string, id: string): Promise<Part[] | null> {
    const { client } = this.#requests;
    return this.#requests.again(`listing an upload to ${key}`, async () => {
      const parts: Part[] = [];
      // Not by the client's own pages: it asks for ever where the last one too names a next part.
      for (let marker: string | undefined; ; ) {
        const query = { ...this.#requests.at(key), UploadId: id, ...(marker && { PartNumberMarker: marker }) };
        const page = await client.send(new ListPartsCommand(query));
        parts.push(...(page.Parts ?? []));
        if (!page.IsTruncated) return parts;
        marker = page.NextPartNumberMarker;
      }
    });
  }

  async #sendPiece(
    { key }: Outgoing,
    id: string,
    { number, bytes }: Piece,
    body: Buffer,
    there: Part | undefined,
  ): Promise<CompletedPart> {
    const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', body));
    const ChecksumSHA256 = digest.toString('base64');
    if (there && there.Size === bytes && isSame(there, ChecksumSHA256, body))
      return { PartNumber: number, ETag: there.ETag, ChecksumSHA256 };
    const request = { ...this.#requests.at(key), UploadId: id, PartNumber: number, Body: body, ChecksumSHA256 };
    const command = new UploadPartCommand(request);
    command.middlewareStack.add(signedBy(digest.toString('hex')), { step: 'build' });
    const sent = await this.#requests.again(`uploading piece ${number} of ${key}`, () =>
      this.#requests.client.send(command),
    );
    if (!sent?.ETag) throw new Error(`${this.#requests.root}: uploading piece ${number} of ${key}: the upload is gone`);
    return { PartNumber: number, ETag: sent.ETag, ChecksumSHA256 };
  }

  /** A lost answer leaves open whether it was done: the object tells. */
  async #complete(file: Outgoing, id: string, Parts: CompletedPart[]): Promise<void> {
    const request = { ...this.#requests.at(file.key), UploadId: id, MultipartUpload: { Parts } };
    for (let tries = 1; ; tries++) {
      try {
        await this.#requests.client.send(new CompleteMultipartUploadCommand(request));
        return;
      } catch (error) {
        if (await this.#isThere(file)) return;
        if (tries === TRIES || !passes(error))
          throw translated(this.#requests.root, `completing the upload to ${file.key}`, error);
        await pause(tries);
      }
    }
  }

  /** Whether the object is there whole: none appears before what was read for it was checked. */
  async #isThere({ key, sha256, bytes }: Outgoing): Promise<boolean> {
    const { client } = this.#requests;
    const found = await this.#requests.again(`asking for ${key}`, () =>
      client.send(new HeadObjectCommand(this.#requests.at(key))),
    );
    return found?.Metadata?.[SHA256] === sha256 && found.ContentLength === bytes;
  }
}

/** By the server's SHA-256 of the piece; by the MD5 that most use as its tag where it keeps none. Else it is sent again. */
function isSame({ ChecksumSHA256, ETag }: Part, sha256: string, body: Buffer): boolean {
  if (ChecksumSHA256) return ChecksumSHA256 === sha256;
  return ETag?.replaceAll('"', '') === createHash('md5').update(body).digest('hex');
}

/** The signature covers the content by its hash, which the client would take once more. */
const signedBy = (sha256: string) => {
  return <Args extends { request: unknown }, R>(next: (args: Args) => Promise<R>) =>
    (args: Args): Promise<R> => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['x-amz-content-sha256'] = sha256;
      return next(args);
    };
};

async function read(handle: FileHandle, { start, bytes }: Piece): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await handle.read(body, length, bytes - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return body.subarray(0, length);
}

function checkRead({ path, sha256 }: Outgoing, found: string): void {
  if (found !== sha256)
    throw new Error(
      `${path}: read with sha256 ${found}, but written with ${sha256}: this machine's disk damages files`,
    );
}
