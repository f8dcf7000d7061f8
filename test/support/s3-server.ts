/** A real S3 server for a test file: the Versity gateway, which keeps objects as files of a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Store } from '../../activities/store/s3/s3-store.js';
import { cacheFolder } from '../../infra/local/temporal-binary.js';

const BINARY = process.env.LONGHAUL_TEST_S3_SERVER || join(cacheFolder(), 'bin', 'versitygw');
const LIMIT_MS = 30_000;

/** Whether there is one. Its absence is said once a test file, as a test that is skipped. */
export const haveS3Server = existsSync(BINARY);
if (!haveS3Server) test.skip(`on S3: no server at ${BINARY} (test/support/build-s3-server.sh builds it)`, () => {});

export interface S3Server {
  /** For stores and for processes that open one. */
  environment: NodeJS.ProcessEnv;
  /** A new bucket, with nothing in it, as a store's address. */
  bucket(): Promise<string>;
  /** The file that keeps an object of such a store. */
  fileOf(root: string, key: string): string;
  /** A store in a new bucket. */
  store(): Promise<S3Store>;
  stop(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-s3-'));
  const objects = join(folder, 'objects');
  await mkdir(objects);
  const port = await freePort();
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'testkey',
    AWS_SECRET_ACCESS_KEY: 'testsecret',
    LONGHAUL_STORE_CACHE: join(folder, 'cache'),
  };
  const server = spawn(BINARY, ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', objects], {
    env: { PATH: process.env.PATH, ROOT_ACCESS_KEY: 'testkey', ROOT_SECRET_KEY: 'testsecret' },
    stdio: 'ignore',
  });
  await answers(server, environment.AWS_ENDPOINT_URL_S3!);
  // The client takes endpoint and credentials from the process, as in a worker.
  Object.assign(process.env, environment);
  let count = 0;
  const bucket = async () => {
    const name = `bucket-${++count}`;
    await mkdir(join(objects, name));
    return `s3://${name}/store`;
  };
  return {
    environment,
    bucket,
    fileOf: (root, key) => join(objects, root.slice('s3://'.length), key),
    store: async () => {
      const root = await bucket();
      // As `create` leaves it, which tries the server first: that is a test of its own.
      await mkdir(join(objects, root.slice('s3://'.length)));
      await writeFile(join(objects, root.slice('s3://'.length), '.longhaul-store'), '{"format":1}\n');
      return new S3Store(root);
    },
    stop: async () => {
      const ended = new Promise(resolve => server.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
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
