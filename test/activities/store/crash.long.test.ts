/**
 * A publisher that dies at any change of the file system: what others see is whole or not there, and whoever publishes
 * it again succeeds. Once cut short in this process at each change in turn, once killed in truth.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../../activities/engine/random.js';
import { FolderStore, fileHashes, sha256 } from '../../../activities/store/index.js';
import { CHECKOUT } from '../../../infra/checkout.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-crash-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const CHANGES = ['mkdir', 'open', 'writeFile', 'link', 'rename', 'unlink', 'rm'] as const;

/** Lets so many changes happen, and none after: as if the process had been killed then. */
function killedAfter(count: number): () => number {
  const fs: typeof import('node:fs/promises') = jest.requireActual('node:fs/promises');
  let done = 0;
  for (const name of CHANGES) {
    const real = fs[name] as (...args: unknown[]) => Promise<unknown>;
    jest.spyOn(fs, name).mockImplementation((async (...args: unknown[]) => {
      if (done >= count) throw new Error('killed');
      done++;
      return real(...args);
    }) as never);
  }
  return () => done;
}

const FILE = 'store:runs/r/steps/1/update.json';
const FOLDER = 'store:runs/r/checkpoints/p';
const content = { 'config.json': '{}', weights: 'w'.repeat(10_000) };

async function publishFolder(store: FolderStore): Promise<void> {
  await store.workFolder(async folder => {
    for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
    await store.publishFolder(FOLDER, folder);
  });
}

const WAYS: Record<string, (store: FolderStore) => Promise<unknown>> = {
  'a file': store => store.publishText(FILE, 'content'),
  'a file whose identity is a part of it': store => store.publishText(FILE, 'content', undefined, sha256('part')),
  'what is published first': store => store.publishFirst(FILE, 'content'),
  'a folder': publishFolder,
};

test.each(Object.entries(WAYS))('%s is there whole, or not at all', async (_, publish) => {
  for (let cut = 0; ; cut++) {
    const changes = killedAfter(cut);
    const killed = await publish(new FolderStore(root)).then(
      () => false,
      () => true,
    );
    const seen = changes();
    jest.restoreAllMocks();
    const store = new FolderStore(root);
    const found = await store.find(FILE);
    if (found) expect(found.sha256).toBe(sha256('content'));
    if (await store.has(FOLDER)) {
      expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(
        Object.fromEntries(Object.entries(content).map(([name, text]) => [name, sha256(text)])),
      );
    }
    await publish(store);
    expect((await readdir(root, { recursive: true })).filter(name => /damaged|diverged/.test(name))).toEqual([]);
    await rm(root, { recursive: true });
    if (killed) continue;
    // The store itself, the work, its place: there was something to cut.
    expect(seen).toBeGreaterThanOrEqual(5);
    break;
  }
});

/** Publishes file after file, each of a content that its number decides, until it is killed. */
const PUBLISHER = `
  const { FolderStore } = require(process.argv[1]);
  const store = new FolderStore(process.argv[2]);
  (async () => {
    for (let k = 0; ; k++) {
      await store.publishText('store:runs/r/steps/' + k + '.json', String(k).repeat(20000));
      if (k === 0) process.stdout.write('begun');
    }
  })();
`;

test('killed at any moment, thirty times', async () => {
  const random = randomStream(1, 'kills');
  for (let kill = 0; kill < 30; kill++) {
    const store = join(CHECKOUT, 'dist/activities/store/index.js');
    const publisher: ChildProcess = spawn(process.execPath, ['-e', PUBLISHER, store, root]);
    await once(publisher.stdout!, 'data');
    await sleep(random.uniform() * 20);
    publisher.kill('SIGKILL');
    await once(publisher, 'exit');
  }
  const store = new FolderStore(root);
  const names = (await readdir(join(root, 'runs/r/steps'))).filter(name => !name.startsWith('.'));
  expect(names.filter(name => !/^\d+\.json$/.test(name))).toEqual([]);
  for (const name of names) {
    const expected = String(Number.parseInt(name, 10)).repeat(20_000);
    expect(await readFile(join(root, 'runs/r/steps', name), 'utf8')).toBe(expected);
    expect(await store.find(`store:runs/r/steps/${name}`)).toMatchObject({ sha256: sha256(expected) });
  }
  expect(names.length).toBeGreaterThan(1);
});
