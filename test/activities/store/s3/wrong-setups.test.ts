/** Each wrong set-up gives one clear message, before anything is made or begun: from a server made up for it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { storageTrouble } from '../../../../activities/engine/files/storage-trouble.js';
import { openStore } from '../../../../activities/store/index.js';
import { main } from '../../../../infra/cli/main.js';

const environment = { ...process.env };
let server: Server | null = null;
let asked: string[];
beforeEach(() => {
  asked = [];
});
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = null;
  process.env = { ...environment };
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function answering(answer: Answer): Promise<void> {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'top-secret',
  });
  delete process.env.AWS_PROFILE;
}

/** As S3 says it. */
const error =
  (status: number, code: string, more = '', headers = {}): Answer =>
  (_, response) => {
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said by the server</Message>${more}</Error>`;
    response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);
  };

const REGION = '<Region>eu-central-1</Region>';
const CASES: readonly [string, Answer, RegExp][] = [
  ['no such bucket', error(404, 'NoSuchBucket'), /the bucket is not there: make it first/],
  ['access denied', error(403, 'AccessDenied'), /the credentials may not do that: they must get, put, delete and list/],
  ['an unknown access key', error(403, 'InvalidAccessKeyId'), /does not know the access key/],
  ['a wrong secret key', error(403, 'SignatureDoesNotMatch'), /the secret key is not the one of the access key/],
  ['expired credentials', error(400, 'ExpiredToken'), /the credentials have expired: get new ones/],
  ['a wrong session token', error(403, 'InvalidToken'), /AWS_SESSION_TOKEN is not the one of the access key/],
  [
    'a clock that is wrong',
    error(403, 'RequestTimeTooSkewed'),
    /this machine's clock differs from the server's by too much: set it/,
  ],
  [
    'another region, which is named',
    error(400, 'AuthorizationHeaderMalformed', REGION),
    /the bucket is in region eu-central-1: give --region eu-central-1/,
  ],
  [
    'another region, as the older answer says it',
    error(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-3' }),
    /the bucket is in (region eu-west-3: give --region eu-west-3|another region: give --region)/,
  ],
  ['a bucket that is full', error(507, 'InsufficientStorage'), /the bucket is full: make room/],
];

test.each(CASES)('%s', async (_, answer, message) => {
  await answering(answer);
  for (const doing of ['create', 'open'] as const) {
    const found = await (await openStore('s3://bucket/store'))[doing]().catch((error: unknown) => error);
    expect((found as Error).message).toMatch(/^the store s3:\/\/bucket\/store cannot be reached: /);
    expect((found as Error).message).toMatch(message);
    expect((found as Error).message).not.toContain('top-secret');
    // A worker that meets with it later waits until somebody has mended it.
    expect(storageTrouble(found)).not.toBeNull();
  }
  // Nothing was put there.
  expect(asked.filter(line => line.startsWith('PUT'))).toEqual([]);
});

test.each<[string, Answer, RegExp]>([
  ['KMS.NotFoundException', error(400, 'KMS.NotFoundException'), /the KMS key cannot be used/],
  ['InvalidStorageClass', error(400, 'InvalidStorageClass'), /no such class of storage: give store create another/],
])('what the server makes of --sse and --storage-class is tried: %s', async (_, refuses, message) => {
  await answering((request, response) =>
    (request.method === 'PUT' ? refuses : error(404, 'NoSuchKey'))(request, response),
  );
  const settings = { sse: 'aws:kms', sseKmsKeyId: 'k', storageClass: 'STANDARD_IA' };
  await expect((await openStore('s3://bucket/store')).create(settings)).rejects.toThrow(message);
});

test('no region, where there is no endpoint', async () => {
  for (const name of Object.keys(process.env).filter(name => name.startsWith('AWS_'))) delete process.env[name];
  Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
  await expect((await openStore('s3://bucket/store')).open()).rejects.toThrow(
    /no region is known: give --region or AWS_REGION, or --endpoint-url/,
  );
});

test('no credentials', async () => {
  await answering(error(500, 'InternalError'));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
  const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  Object.assign(process.env, { ...nowhere, AWS_EC2_METADATA_DISABLED: 'true' });
  await expect((await openStore('s3://bucket/store')).open()).rejects.toThrow(/there are no credentials: give/);
});

describe('on the command line', () => {
  test.each<[string, string[], RegExp]>([
    ['archives', ['--storage-class', 'GLACIER'], /cannot be read at once: expected another/],
    ['a key without encryption by it', ['--sse-kms-key-id', 'k'], /expected --sse aws:kms/],
    ['no address', ['--endpoint-url', 'localhost:9000'], /expected http:\/\/… or https:\/\/…/],
    ['a style that is none', ['--path-style', 'yes'], /expected on or off/],
  ])('%s', async (_, flags, message) => {
    expect(await said(['store', 'create', '--store', 's3://bucket/store', ...flags])).toMatch(message);
  });

  test('settings of objects are no folder’s', async () => {
    expect(await said(['store', 'create', '--store', '/tmp/no-store', '--sse', 'AES256'])).toMatch(
      /are for s3:\/\/BUCKET\/PREFIX, and \/tmp\/no-store is a folder/,
    );
  });

  test('flags are the environment of the client', async () => {
    await answering(error(404, 'NoSuchKey'));
    const url = process.env.AWS_ENDPOINT_URL_S3!;
    delete process.env.AWS_ENDPOINT_URL_S3;
    const flags = ['--endpoint-url', url, '--region', 'eu-north-1', '--path-style', 'on'];
    expect(await said(['store', 'du', '--store', 's3://bucket/store', ...flags])).toMatch(/There is no store at/);
    expect(asked[0]).toMatch(/^GET \/bucket\/store\/\.longhaul-store/);
    expect(process.env.AWS_REGION).toBe('eu-north-1');
  });
});

/** What a command that fails says on standard error. */
async function said(words: string[]): Promise<string> {
  let text = '';
  const write = jest.spyOn(process.stderr, 'write').mockImplementation(chunk => {
    text += String(chunk);
    return true;
  });
  try {
    expect(await main(['node', 'longhaul', ...words])).toBe(1);
  } finally {
    write.mockRestore();
  }
  return text;
}
