/** Uploads and downloads of large files: gone on with where they broke off, and whole or not there. */
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { fileHash, StoreAwayError } from '../../../../activities/store/index.js';
import { S3Bucket } from '../../../../activities/store/s3/bucket.js';
import { S3Store } from '../../../../activities/store/s3/s3-store.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';

const FOLDER = 'store:runs/r/checkpoints/p';
const MIB = 1 << 20;
/** Three pieces, the last one short. */
const LARGE = 40 * MIB;
const reset = () => Object.assign(new Error('the line is cut'), { code: 'ECONNRESET' });

/** Counts requests by name, and fails those that `fails` says. */
function watched(fails: (name: string, count: number) => boolean = () => false): Record<string, number> {
  const real = S3Client.prototype.send as (...args: unknown[]) => unknown;
  const counts: Record<string, number> = {};
  jest.spyOn(S3Client.prototype, 'send').mockImplementation(function (this: S3Client, ...args: unknown[]) {
    const name = (args[0] as object).constructor.name.replace('Command', '');
    counts[name] = (counts[name] ?? 0) + 1;
    return fails(name, counts[name]) ? Promise.reject(reset()) : real.apply(this, args);
  } as never);
  return counts;
}

(haveS3Server ? describe : describe.skip)('on a bucket', () => {
  let server: S3Server;
  let made: string;
  let store: S3Store;
  beforeAll(async () => {
    server = await startS3Server();
    made = await mkdtemp(join(tmpdir(), 'longhaul-transfers-'));
    const bytes = Buffer.alloc(LARGE);
    for (let at = 0; at < LARGE; at += 4) bytes.writeUInt32LE(at, at);
    await writeFile(join(made, 'weights'), bytes);
    await writeFile(join(made, 'config.json'), '{}');
    await writeFile(join(made, 'empty'), '');
  });
  afterAll(async () => {
    await server.stop();
    await rm(made, { recursive: true });
  });
  beforeEach(async () => {
    Object.assign(process.env, server.environment);
    store = await server.store();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rm(server.environment.LONGHAUL_STORE_CACHE!, { recursive: true, force: true });
  });

  const publish = (to = store) => to.publishFolder(FOLDER, made);
  const isWhole = async (of = store) => {
    const local = await of.localFolder(FOLDER);
    return (await fileHash(join(local, 'weights'))) === (await fileHash(join(made, 'weights')));
  };
  const unfinished = async () => (await new S3Bucket(store.root, process.env).uploads.unfinished('parts/')).length;
  const left = () => readdir(server.fileOf(store.root, 'unfinished')).catch(() => []);

  test('an upload that breaks off is gone on with by the next publisher, of another process too', async () => {
    const first = watched((name, count) => name === 'UploadPart' && count > 2);
    await expect(publish()).rejects.toThrow(StoreAwayError);
    expect(first.UploadPart).toBeGreaterThan(2);
    jest.restoreAllMocks();
    expect([await unfinished(), (await left()).length]).toEqual([1, 1]);

    const second = watched();
    await publish(new S3Store(store.root));
    expect(second.UploadPart).toBe(1);
    expect(second.CreateMultipartUpload).toBeUndefined();
    jest.restoreAllMocks();
    expect([await unfinished(), await left(), await isWhole()]).toEqual([0, [], true]);
  });

  test('a publisher of other content, or under another name, takes nothing of it over', async () => {
    watched((name, count) => name === 'UploadPart' && count > 2);
    await expect(publish()).rejects.toThrow(StoreAwayError);
    jest.restoreAllMocks();
    const other = watched();
    await store.publishFolder(`${FOLDER}2`, made);
    expect(other.UploadPart).toBe(3);
    jest.restoreAllMocks();
    // For a day it is kept; then the sweep ends it, and removes nothing that was published.
    await store.sweep();
    expect(await unfinished()).toBe(1);
    await store.sweep(0);
    expect([await unfinished(), await left()]).toEqual([0, []]);
    await publish();
    expect(await isWhole()).toBe(true);
    await store.localFolder(`${FOLDER}2`);
  });

  test('of two who come to go on with it one does, and the other sends its own', async () => {
    watched((name, count) => name === 'UploadPart' && count > 2);
    await expect(publish()).rejects.toThrow(StoreAwayError);
    jest.restoreAllMocks();
    await Promise.all([publish(new S3Store(store.root)), publish(new S3Store(store.root))]);
    expect([await unfinished(), await left(), await isWhole()]).toEqual([0, [], true]);
    const { parts } = JSON.parse(await readFile(server.fileOf(store.root, 'artifacts/runs/r/checkpoints/p'), 'utf8'));
    expect(await readdir(server.fileOf(store.root, parts.split('/').slice(0, 2).join('/')))).toHaveLength(1);
  });

  test('a piece that lies there damaged is sent again', async () => {
    watched((name, count) => name === 'UploadPart' && count > 2);
    await expect(publish()).rejects.toThrow(StoreAwayError);
    jest.restoreAllMocks();
    const [upload] = await new S3Bucket(store.root, process.env).uploads.unfinished('parts/');
    const bucket = new S3Bucket(store.root, process.env);
    const { UploadPartCommand } = await import('@aws-sdk/client-s3');
    const at = { ...bucket.requests.at(upload!.key), UploadId: upload!.id, PartNumber: 1 };
    const damaged = { ...at, Body: Buffer.alloc(16 * MIB, 1), ChecksumAlgorithm: 'SHA256' as const };
    await bucket.requests.client.send(new UploadPartCommand(damaged));
    await publish();
    expect(await isWhole()).toBe(true);
  });

  test('a file that is not what its writer says never appears', async () => {
    const hashes = { weights: '0'.repeat(64) };
    await expect(store.publishFolder(FOLDER, made, undefined, hashes)).rejects.toThrow('disk damages files');
    expect([await unfinished(), await left(), await store.has(FOLDER)]).toEqual([0, [], false]);
  });

  test('a download that breaks off is gone on with, and a damaged beginning is not kept', async () => {
    await publish();
    const fetch = () => new S3Store(store.root).localFolder(FOLDER, file => file === 'weights');
    for (const damage of [false, true]) {
      // The manifest first.
      watched((name, count) => name === 'GetObject' && count > 3);
      await expect(fetch()).rejects.toThrow(StoreAwayError);
      jest.restoreAllMocks();
      const partial = join(server.environment.LONGHAUL_STORE_CACHE!, 'partial');
      const names = await readdir(partial);
      expect(names).toHaveLength(2);
      if (damage) {
        const file = await open(join(partial, names.find(name => !name.endsWith('.pieces'))!), 'r+');
        await file.write(Buffer.from('x'), 0, 1, 5);
        await file.close();
      }
      const counts = watched();
      const local = await fetch();
      expect(counts.GetObject).toBe(damage ? 5 : 2);
      jest.restoreAllMocks();
      expect(await fileHash(join(local, 'weights'))).toBe(await fileHash(join(made, 'weights')));
      expect(await readdir(partial)).toEqual([]);
      await rm(local, { recursive: true });
    }
  });

  test('an object whose body breaks off again and again is still read to its end', async () => {
    await publish();
    const { parts } = JSON.parse(await readFile(server.fileOf(store.root, 'artifacts/runs/r/checkpoints/p'), 'utf8'));
    const bucket = new S3Bucket(store.root, process.env);
    const real = S3Client.prototype.send as (...args: unknown[]) => Promise<{ Body?: AsyncIterable<Buffer> }>;
    let asked = 0;
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(async function (this: S3Client, ...args: unknown[]) {
      const answer = await real.apply(this, args);
      asked++;
      const whole = answer.Body!;
      const broken = async function* () {
        let bytes = 0;
        for await (const piece of whole) {
          yield piece;
          bytes += piece.length;
          if (bytes > 5 * MIB) throw reset();
        }
      };
      return { ...answer, Body: broken() };
    } as never);
    const expected = createHash('sha256')
      .update(await readFile(join(made, 'weights')))
      .digest('hex');
    expect(await bucket.downloads.hash(`${parts}/weights`)).toBe(expected);
    expect(asked).toBeGreaterThan(6);
  });
});
