/** Whether a server keeps what the store relies on: tried on throw-away objects before a store is made there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../canonical.js';
import { StoreAwayError } from '../store.js';
import { workName } from '../unfinished.js';
import type { S3Bucket } from './bucket.js';
import { isRefused } from './failures.js';
import { UnfitBucketError } from './unfit-bucket-error.js';

const RACERS = 32;
/** Some servers let one win by chance. */
const ROUNDS = 3;
/** More than one piece of an upload. */
const LARGE_BYTES = 17 << 20;
const METADATA = { 'longhaul-probe': 'a1 b2' };

type Try = (bucket: S3Bucket, folder: string) => Promise<string | null>;

/** By what is promised: tells what was found instead, or null. */
const PROMISES: Record<string, Try> = {
  'an object is read as it was written, at once, with its metadata': async (bucket, folder) => {
    const body = Buffer.from('content\n\u00e4\u0000');
    await bucket.create(`${folder}read`, body, METADATA);
    const found = await bucket.get(`${folder}read`);
    if (!found?.body.equals(body)) return `found ${found ? `${found.body.length} other bytes` : 'nothing'}`;
    return found.metadata['longhaul-probe'] === METADATA['longhaul-probe'] ? null : 'its metadata is gone or changed';
  },
  'a PUT with If-None-Match: * never overwrites': async (bucket, folder) => {
    await bucket.put(`${folder}twice`, Buffer.from('first'), {}, '*');
    const refused = await bucket.put(`${folder}twice`, Buffer.from('second'), {}, '*').then(() => false, isRefused);
    const left = (await bucket.get(`${folder}twice`))?.body.toString();
    return refused && left === 'first' ? null : 'the second of two succeeded';
  },
  'of many such PUTs at once exactly one succeeds': async (bucket, folder) => {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `${folder}race-${round}`;
      const racers = Array.from({ length: RACERS }, (_, k) => `racer ${k}`);
      const outcomes = await Promise.allSettled(racers.map(text => bucket.put(key, Buffer.from(text), {}, '*')));
      const won = racers.filter((_, k) => outcomes[k]!.status === 'fulfilled');
      if (won.length !== 1) return `${won.length} of ${RACERS} did`;
      if ((await bucket.get(key))?.body.toString() !== won[0]) return 'what lies there is not of the one that did';
    }
    return null;
  },
  'a listing shows at once what was written, and all of it': async (bucket, folder) => {
    const expected = ['a', 'b', 'c', 'd'];
    for (const name of expected) await bucket.create(`${folder}list/${name}/x`, Buffer.from(name), {});
    const names = await bucket.names(`${folder}list/`, 2);
    return names.join() === expected.join()
      ? null
      : `of ${expected.join(', ')} it showed ${names.join(', ') || 'nothing'}`;
  },
  'a DELETE with If-Match removes that object, no other': async (bucket, folder) => {
    const key = `${folder}gone`;
    await bucket.write(key, 'one');
    const { etag: stale } = (await bucket.get(key))!;
    await bucket.write(key, 'two');
    if (await bucket.delete(key, stale)) return 'it removed another';
    await bucket.delete(key, (await bucket.get(key))!.etag);
    return (await bucket.get(key)) === null ? null : 'it is still there';
  },
  'a large file is sent in pieces and read by ranges as it was written': async (bucket, folder) => {
    const local = await mkdtemp(join(tmpdir(), 'longhaul-probe-'));
    try {
      const bytes = Buffer.alloc(LARGE_BYTES, 'a piece of a large file\n');
      const [key, path] = [`${folder}large`, join(local, 'large')];
      await writeFile(path, bytes);
      const file = { key, sha256: sha256(bytes), bytes: bytes.length };
      await bucket.uploads.send({ ...file, path });
      const read = await bucket.downloads.fetch({ ...file, path: join(local, 'read') });
      return read === file.sha256 ? null : 'its bytes differ';
    } finally {
      await rm(local, { recursive: true, force: true });
    }
  },
};

/** @throws UnfitBucketError naming the promise that is broken; StoreAwayError */
export async function tryBucket(bucket: S3Bucket): Promise<void> {
  const folder = `probe/${workName()}/`;
  try {
    for (const [promise, kept] of Object.entries(PROMISES)) {
      const found = await kept(bucket, folder).catch((error: unknown) => {
        if (error instanceof StoreAwayError) throw error;
        return (error as Error).message;
      });
      if (found !== null) throw new UnfitBucketError(bucket.root, promise, found);
    }
  } finally {
    await bucket.deleteBelow(folder).catch(() => {});
  }
}
