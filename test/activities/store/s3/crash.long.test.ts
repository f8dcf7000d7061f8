/**
 * A publisher on a bucket that is cut short at any request, whose answers are lost, or that is killed: what others see is
 * whole or not there, and whoever publishes it again succeeds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request as ask, createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { fileHashes, sha256 } from '../../../../activities/store/index.js';
import { S3Store } from '../../../../activities/store/s3/s3-store.js';
import { CHECKOUT } from '../../../../infra/checkout.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';

const FILE = 'store:runs/r/steps/1/update.json';
const FOLDER = 'store:runs/r/checkpoints/p';
const CONTENT = { 'config.json': '{}', weights: 'w'.repeat(10_000) };
const HASHES = Object.fromEntries(Object.entries(CONTENT).map(([name, text]) => [name, sha256(text)]));

async function publishFolder(store: S3Store): Promise<void> {
  await store.workFolder(async folder => {
    for (const [name, text] of Object.entries(CONTENT)) await writeFile(join(folder, name), text);
    await store.publishFolder(FOLDER, folder);
  });
}

const WAYS: Record<string, (store: S3Store) => Promise<unknown>> = {
  'publishing a file': store => store.publishText(FILE, 'content'),
  'publishing what is published first': store => store.publishFirst(FILE, 'content'),
  'publishing a folder': publishFolder,
  'removing a folder': async store => {
    await publishFolder(store);
    await store.remove(FOLDER);
  },
  'setting a folder aside': async store => {
    await publishFolder(store);
    await store.setAside(FOLDER);
  },
};

/** Lets so many requests be made, and none after. */
function cutAfter(count: number): () => number {
  const real = S3Client.prototype.send as (...args: unknown[]) => unknown;
  let made = 0;
  jest.spyOn(S3Client.prototype, 'send').mockImplementation(function (this: S3Client, ...args: unknown[]) {
    if (made >= count) return Promise.reject(new Error('killed'));
    made++;
    return real.apply(this, args);
  } as never);
  return () => made;
}

(haveS3Server ? describe : describe.skip)('on a bucket', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());
  beforeEach(() => Object.assign(process.env, server.environment));
  afterEach(() => jest.restoreAllMocks());

  test.each(Object.entries(WAYS))('%s, cut short at each request in turn', async (_, work) => {
    for (let cut = 0; ; cut++) {
      const { root } = await server.store();
      const made = cutAfter(cut);
      const killed = await work(new S3Store(root)).then(
        () => false,
        () => true,
      );
      const seen = made();
      jest.restoreAllMocks();
      const store = new S3Store(root);
      const found = await store.find(FILE);
      if (found) expect(found.sha256).toBe(sha256('content'));
      if (await store.has(FOLDER)) expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(HASHES);
      await publishFolder(store);
      await store.publishText(FILE, 'content');
      expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(HASHES);
      expect((await store.list('store:runs/r/checkpoints')).filter(name => name.includes('diverged'))).toEqual([]);
      if (killed) continue;
      expect(seen).toBeGreaterThanOrEqual(2);
      break;
    }
  });

  test('whose first answers are lost, knows its own from that of another', async () => {
    const { root } = await server.store();
    const front = await startForgetful(server.environment.AWS_ENDPOINT_URL_S3!);
    try {
      process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${(front.address() as { port: number }).port}`;
      const store = new S3Store(root);
      // The client asks again by itself, and is told that something is there: its own.
      expect(await store.publishText(FILE, 'content')).toEqual({ uri: FILE, sha256: sha256('content') });
      await publishFolder(store);
      await expect(store.publishText(FILE, 'other')).rejects.toThrow('already published with other content');
      expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(HASHES);
    } finally {
      front.close();
    }
  });

  test('killed in the middle of an upload, leaves nothing to see, and nothing at all once it is swept', async () => {
    const { root } = await server.store();
    const made = await mkdtemp(join(tmpdir(), 'longhaul-killed-'));
    try {
      for (const file of ['a', 'b', 'c']) await writeFile(join(made, file), Buffer.alloc(40 << 20, file));
      const module = join(CHECKOUT, 'dist/activities/store/index.js');
      const args = ['-e', PUBLISHER, module, root, FOLDER, made];
      const publisher: ChildProcess = spawn(process.execPath, args, { env: server.environment });
      // Its first file is there: it is at its second or third.
      const parts = server.fileOf(root, 'parts');
      while (!(await filesBelow(parts)).some(path => path.endsWith('/a'))) await sleep(5);
      publisher.kill('SIGKILL');
      await once(publisher, 'exit');
      const store = new S3Store(root);
      expect([await store.has(FOLDER), await store.list('store:runs')]).toEqual([false, []]);
      expect((await filesBelow(parts)).length).toBeGreaterThan(0);
      // A successor may go on with it, for a day.
      await store.sweep();
      expect((await filesBelow(parts)).length).toBeGreaterThan(0);
      await store.sweep(0);
      expect(await filesBelow(parts)).toEqual([]);
      expect(await filesBelow(server.fileOf(root, 'unfinished'))).toEqual([]);
      expect(await readFile(server.fileOf(root, '.longhaul-store'), 'utf8')).toContain('format');
    } finally {
      await rm(made, { recursive: true });
    }
  });

  test('what a living publisher uploads is not swept', async () => {
    const store = await server.store();
    let swept = false;
    const real = S3Client.prototype.send as (...args: unknown[]) => unknown;
    jest.spyOn(S3Client.prototype, 'send').mockImplementation(async function (this: S3Client, ...args: unknown[]) {
      const { input } = args[0] as { input: { Key?: string; IfNoneMatch?: string } };
      if (!swept && input.IfNoneMatch && input.Key?.includes('/checkpoints/')) {
        swept = true;
        await new S3Store(store.root).sweep(0);
      }
      return real.apply(this, args);
    } as never);
    await publishFolder(store);
    expect(swept).toBe(true);
    expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(HASHES);
  });
});

const PUBLISHER = `
  const [module, root, uri, folder] = process.argv.slice(1);
  require(module).openStore(root).then(store => store.publishFolder(uri, folder));
`;

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath ?? entry.path, entry.name));
};

/** Passes requests on, but breaks the connection in place of the first answer to each key that is put. */
async function startForgetful(endpoint: string): Promise<Server> {
  const forgotten = new Set<string>();
  const front = createServer((incoming, outgoing) => {
    const forgets = incoming.method === 'PUT' && !forgotten.has(incoming.url!);
    if (forgets) forgotten.add(incoming.url!);
    const { method, headers, url } = incoming;
    const onward = ask(new URL(url!, endpoint), { method: method!, headers }, answer => {
      if (forgets) {
        answer.resume().once('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return front;
}
