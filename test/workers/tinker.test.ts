/** A worker whose engine is a training service, as it starts: what it cannot work with is said before any work is taken. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../activities/store/index';
import { ownFolder } from '../../workers/own-folder';
import { runTinkerWorker } from '../../workers/tinker';
import { startServed } from '../support/served-run';
import { HOSTED, type TinkerServer } from '../support/tinker-server';

let server: TinkerServer;
let folder: string;
beforeAll(async () => {
  server = await startServed();
  folder = await mkdtemp(join(tmpdir(), 'longhaul-tinker-worker-'));
  await new FolderStore(join(folder, 'store')).create();
});
afterAll(async () => {
  await server.release();
  await rm(folder, { recursive: true });
});

/** There is no Temporal server: whoever gets so far as to look for it has found nothing wrong before. */
function worker(url: string, key?: string): Promise<void> {
  return runTinkerWorker({
    connection: { address: '127.0.0.1:1' },
    store: join(folder, 'store'),
    inHand: join(folder, 'in-hand'),
    modelCache: join(folder, 'models'),
    readPreset: async () => null,
    service: {
      url,
      keyVariable: key === undefined ? null : 'KEY',
      environment: { KEY: key },
      stateFolder: join(folder, 'state'),
      patience: 0.1,
    },
  });
}

test('is content with a service that serves, whatever comes then', async () => {
  await expect(worker(server.url)).rejects.toThrow(/127\.0\.0\.1:1/);
});

test('says where there is no service', async () => {
  await expect(worker('http://127.0.0.1:1')).rejects.toThrow(
    /^the training service at http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
  );
});

test('says that its key is refused, and does not say the key', async () => {
  const hosted = await server.another(HOSTED);
  const said = await worker(hosted.url, 'tml-the-wrong-one-of-all').then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  await hosted.stop();
  expect(said).toMatch(/answered get_server_capabilities with 401: .*Set the key that the service knows/);
  expect(said).not.toContain('the-wrong-one');
});

test('says that something else is listening there', async () => {
  const said = await worker(`${server.url}/elsewhere`).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  expect(said).toMatch(/answered get_server_capabilities with 404: .*Is it a training service that speaks/);
});

test('a worker has a folder of its own, and its successor takes over the first that is free', async () => {
  const parent = join(folder, 'own');
  const first = await ownFolder(parent);
  expect([first, await ownFolder(parent)]).toEqual([join(parent, '1'), join(parent, '2')]);
  await rm(join(first, 'owner.json'));
  expect(await ownFolder(parent)).toBe(first);
});
