/** `store create` on a bucket: made where the server is fit, refused with the broken promise where it is not. */
import { createServer, type Server } from 'node:http';
import { storageTrouble } from '../../../../activities/engine/files/storage-trouble.js';
import { openStore, StoreMissingError } from '../../../../activities/store/index.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';

const { environment } = { environment: { ...process.env } };
afterEach(() => {
  process.env = { ...environment };
});

(haveS3Server ? describe : describe.skip)('a fit server', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());
  beforeEach(() => Object.assign(process.env, server.environment));

  test('gets a store, once; a bucket without one is not taken for an empty store', async () => {
    const root = await server.bucket();
    await expect((await openStore(root)).open()).rejects.toThrow(StoreMissingError);
    await expect((await openStore(root)).publishText('store:runs/r', 'x')).rejects.toThrow('longhaul store create');
    await (await openStore(root)).create();
    await (await openStore(root)).create();
    await (await openStore(root)).open();
    // Nothing of the trial is left.
    expect(await (await openStore(root.replace('/store', ''))).list('store:probe')).toEqual([]);
  });

  test('a bucket that is not there is named', async () => {
    const error = await (await openStore('s3://no-such-bucket/store')).create().catch((error: unknown) => error);
    expect((error as Error).message).toMatch(
      /s3:\/\/no-such-bucket\/store cannot be reached: .*the bucket is not there/,
    );
    expect(storageTrouble(error)).toContain('bring its server back');
  });

  test('wrong credentials are named, and not shown', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'another-secret';
    const error = await (await openStore(await server.bucket())).create().catch((error: unknown) => error);
    expect((error as Error).message).toContain('the secret key is not the one of the access key');
    expect(`${(error as Error).stack}`).not.toContain('another-secret');
  });
});

test('a server that does not answer is away: tried again until it is back', async () => {
  point('http://127.0.0.1:9');
  const error = await (await openStore('s3://bucket/store')).open().catch((error: unknown) => error);
  expect((error as Error).message).toMatch(/cannot be reached: .*ECONNREFUSED.*is it up/);
  expect(storageTrouble(error)).toContain('bring its server back');
});

describe('a server that breaks a promise is refused, with the promise', () => {
  let standIn: Server | null = null;
  afterEach(() => standIn?.close());

  test.each<[string, Flaws, RegExp]>([
    [
      'If-None-Match is ignored',
      { overwrites: true },
      /If-None-Match: \* never overwrites \(the second of two succeeded\)/,
    ],
    ['several racers win', { slow: true }, /exactly one succeeds \(\d+ of 32 did\)/],
    ['If-Match is ignored on deletes', { deletesAny: true }, /DELETE with If-Match .*removed another/],
    ['metadata is lost', { dropsMetadata: true }, /its metadata is gone/],
    ['listings come late', { listsNothing: true }, /a listing shows at once .*showed nothing/],
  ])('%s', async (_, flaws, message) => {
    standIn = await startStandIn(flaws);
    const store = await openStore('s3://bucket/store');
    await expect(store.create()).rejects.toThrow(message);
    await expect((await openStore('s3://bucket/store')).open()).rejects.toThrow(StoreMissingError);
  });
});

interface Flaws {
  overwrites?: boolean;
  slow?: boolean;
  deletesAny?: boolean;
  dropsMetadata?: boolean;
  listsNothing?: boolean;
}

interface Kept {
  body: Buffer;
  etag: string;
  metadata: Record<string, string>;
}

function point(endpoint: string): void {
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL_S3: endpoint, AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's', AWS_MAX_ATTEMPTS: '1' },
    // Bodies as they are, not in signed pieces.
    AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_REQUIRED',
  });
}

/** As much of an S3 server as a trial asks for, with one fault. */
async function startStandIn(flaws: Flaws): Promise<Server> {
  const objects = new Map<string, Kept>();
  let version = 0;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://server');
    const key = url.pathname.replace('/bucket/', '');
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const say = (status: number, body: string | Buffer = '', headers: Record<string, string> = {}) =>
      response.writeHead(status, headers).end(body);
    const there = objects.get(key);
    if (request.method === 'GET' && url.searchParams.has('list-type'))
      return say(200, listing(flaws.listsNothing ? [] : [...objects.keys()], url.searchParams));
    if (request.method === 'GET') {
      if (!there) return say(404, '<Error><Code>NoSuchKey</Code></Error>');
      return say(200, there.body, { etag: there.etag, ...there.metadata });
    }
    if (request.method === 'DELETE') {
      const match = request.headers['if-match'];
      if (match && match !== there?.etag && !flaws.deletesAny) return say(412);
      objects.delete(key);
      return say(204);
    }
    if (request.method !== 'PUT') return say(501);
    const createOnly = request.headers['if-none-match'] === '*' && !flaws.overwrites;
    if (createOnly && there) return say(412);
    if (flaws.slow) await new Promise(resolve => setTimeout(resolve, 20));
    const metadata = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
    const etag = `"${++version}"`;
    const kept = flaws.dropsMetadata ? {} : (Object.fromEntries(metadata) as Record<string, string>);
    objects.set(key, { body: Buffer.concat(pieces), etag, metadata: kept });
    return say(200, '', { etag });
  });
  server.listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  point(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  return server;
}

function listing(keys: string[], query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const found = keys.filter(key => key.startsWith(prefix));
  const folders = new Set(found.map(key => `${prefix + key.slice(prefix.length).split('/')[0]}/`));
  const rows = query.get('delimiter')
    ? [...folders].map(folder => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`)
    : found.map(key => `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`);
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListBucketResult>`;
}
