/** Encryption and class of storage: told once, when the store is made, and gone by by all who write there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '../../../../activities/store/s3/s3-store.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';

const SETTINGS = { sse: 'aws:kms', sseKmsKeyId: 'alias/rl', storageClass: 'STANDARD_IA' };
const FIELDS = ['ServerSideEncryption', 'SSEKMSKeyId', 'StorageClass'];

/** What is said of each object that is made; taken away before the server sees it, which encrypts nothing. */
function said(): { name: string; key: string; fields: unknown[] }[] {
  const real = S3Client.prototype.send as (...args: unknown[]) => unknown;
  const found: { name: string; key: string; fields: unknown[] }[] = [];
  jest.spyOn(S3Client.prototype, 'send').mockImplementation(function (this: S3Client, ...args: unknown[]) {
    const { input } = args[0] as { input: Record<string, unknown> };
    const name = (args[0] as object).constructor.name.replace('Command', '');
    if (/^(PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload)$/.test(name))
      found.push({ name, key: String(input.Key), fields: FIELDS.map(field => input[field]) });
    for (const field of FIELDS) delete input[field];
    return real.apply(this, args);
  } as never);
  return found;
}

(haveS3Server ? describe : describe.skip)('on a bucket', () => {
  let server: S3Server;
  let made: string;
  beforeAll(async () => {
    server = await startS3Server();
    made = await mkdtemp(join(tmpdir(), 'longhaul-settings-'));
    await writeFile(join(made, 'weights'), Buffer.alloc(17 << 20, 1));
    await writeFile(join(made, 'config.json'), '{}');
  });
  afterAll(async () => {
    await server.stop();
    await rm(made, { recursive: true });
  });
  afterEach(() => jest.restoreAllMocks());

  const publish = async (root: string) => {
    const store = new S3Store(root);
    await store.publishText('store:runs/r/spec.json', '{}');
    await store.publishFolder('store:runs/r/checkpoints/p', made);
  };

  test('every object is made with them, by stores that were told nothing', async () => {
    const root = await server.bucket();
    const making = said();
    await new S3Store(root).create(SETTINGS);
    await publish(root);
    const wanted = [SETTINGS.sse, SETTINGS.sseKmsKeyId, SETTINGS.storageClass];
    const [whole, pieces] = [
      making.filter(({ name }) => name === 'PutObject' || name === 'CreateMultipartUpload'),
      making.filter(({ name }) => name === 'UploadPart' || name === 'CompleteMultipartUpload'),
    ];
    // The trial of the server too: it finds out what the server makes of them.
    for (const part of ['/probe/', '/artifacts/', '/parts/', '.longhaul-store'])
      expect(whole.some(({ key }) => key.includes(part))).toBe(true);
    expect(whole.filter(({ fields }) => fields.join() !== wanted.join())).toEqual([]);
    expect(pieces.filter(({ fields }) => fields.some(Boolean))).toEqual([]);
    expect(pieces.length).toBeGreaterThan(2);
  });

  test('a store that is there keeps its own, unless it is told others', async () => {
    const root = await server.bucket();
    said();
    await new S3Store(root).create();
    await new S3Store(root).create({ sse: 'AES256' });
    await new S3Store(root).create();
    jest.restoreAllMocks();
    const making = said();
    await publish(root);
    const created = making.filter(({ name }) => name === 'PutObject');
    expect(new Set(created.map(({ fields }) => fields[0]))).toEqual(new Set(['AES256']));
    expect(JSON.parse(await server.read(root, '.longhaul-store'))).toEqual({ format: 1, objects: { sse: 'AES256' } });
  });
});
