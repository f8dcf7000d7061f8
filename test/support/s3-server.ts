/**
 * A real S3 server for a test file: the Versity gateway, which keeps objects as files of a folder; or any that runs at
 * LONGHAUL_TEST_S3_ENDPOINT, for what needs no more than requests (`npm run trial -- s3`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { S3Store } from '../../activities/store/s3/s3-store.js';
import { cacheFolder } from '../../infra/local/temporal-binary.js';

const BINARY = process.env.LONGHAUL_TEST_S3_SERVER || join(cacheFolder(), 'bin', 'versitygw');
const LIMIT_MS = 30_000;

const { LONGHAUL_TEST_S3_ENDPOINT: EXTERNAL } = process.env;
const KEYS = { AWS_ACCESS_KEY_ID: 'testkey', AWS_SECRET_ACCESS_KEY: 'testsecret' };

/** Whether there is one. Its absence is said once a test file, as a test that is skipped. */
export const haveS3Server = EXTERNAL !== undefined || existsSync(BINARY);
if (!haveS3Server) test.skip(`on S3: no server at ${BINARY} (test/support/build-s3-server.sh builds it)`, () => {});

export interface S3Server {
  /** For stores and for processes that open one. */
  environment: NodeJS.ProcessEnv;
  /** A new bucket, with nothing in it, as a store's address. */
  bucket(): Promise<string>;
  /** The file that keeps an object of such a store; the gateway alone has any. */
  fileOf(root: string, key: string): string;
  read(root: string, key: string): Promise<string>;
  /** Puts other content in an object's place, which keeps its metadata: what a bucket has of a damage. */
  overwrite(root: string, key: string, text: string): Promise<void>;
  remove(root: string, key: string): Promise<void>;
  /** A store in a new bucket. */
  store(): Promise<S3Store>;
  stop(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-s3-'));
  const objects = join(folder, 'objects');
  await mkdir(objects);
  const { endpoint, stop } = EXTERNAL ? { endpoint: EXTERNAL, stop: async () => {} } : await startGateway(objects);
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    AWS_ENDPOINT_URL_S3: endpoint,
    ...KEYS,
    LONGHAUL_STORE_CACHE: join(folder, 'cache'),
  };
  // The client takes endpoint and credentials from the process, as in a worker.
  Object.assign(process.env, environment, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
  let count = 0;
  const bucket = async () => {
    const name = `bucket-${process.pid}-${++count}`;
    await client.send(new CreateBucketCommand({ Bucket: name }));
    return `s3://${name}/store`;
  };
  const at = (root: string, key: string) => {
    const [Bucket, ...prefix] = root.slice('s3://'.length).split('/');
    return { Bucket: Bucket!, Key: [...prefix, key].join('/') };
  };
  return {
    environment,
    bucket,
    fileOf: (root, key) => join(objects, root.slice('s3://'.length), key),
    read: async (root, key) => (await client.send(new GetObjectCommand(at(root, key)))).Body!.transformToString(),
    overwrite: async (root, key, text) => {
      const { Metadata } = await client.send(new HeadObjectCommand(at(root, key)));
      await client.send(new PutObjectCommand({ ...at(root, key), Body: Buffer.from(text), Metadata }));
    },
    remove: async (root, key) => void (await client.send(new DeleteObjectCommand(at(root, key)))),
    store: async () => {
      const root = await bucket();
      // As `create` leaves it, which tries the server first: that is a test of its own.
      const mark = { ...at(root, '.longhaul-store'), Body: Buffer.from('{"format":1}\n') };
      await client.send(new PutObjectCommand(mark));
      return new S3Store(root);
    },
    stop: async () => {
      client.destroy();
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startGateway(objects: string): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = spawn(BINARY, ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix', objects], {
    env: {
      PATH: process.env.PATH,
      ROOT_ACCESS_KEY: KEYS.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: KEYS.AWS_SECRET_ACCESS_KEY,
    },
    stdio: 'ignore',
  });
  await answers(server, endpoint);
  const stop = async () => {
    const ended = new Promise(resolve => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  };
  return { endpoint, stop };
}

async function answers(server: ChildProcess, endpoint: string): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    if (await fetch(endpoint).catch(() => null)) return;
    if (server.exitCode !== null || Date.now() > limit) throw new Error(`the S3 server does not answer at ${endpoint}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
