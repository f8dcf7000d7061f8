/** Downloads from mirrors, and where Xet is switched off: the plain file, whatever the Hub offers. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub } from '../../../../activities/engine/files/hub.js';
import { COMMIT, FakeHub } from '../../../support/fake-hub.js';

let hub: FakeHub;
let folder: string;
beforeEach(async () => {
  hub = new FakeHub();
  hub.offersXet = true;
  hub.files.set('model.safetensors', Buffer.from('weights'));
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hub-'));
});
afterEach(async () => {
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a mirror that offers Xet without having it gives the plain file', async () => {
  const environment = { HF_ENDPOINT: await hub.start() } as unknown as NodeJS.ProcessEnv;
  const mirror = new Hub({ type: 'model', name: 'owner/tiny' }, { environment });
  const [file] = await mirror.files(COMMIT);
  await mirror.fetchFile(COMMIT, file!, folder);
  expect(await readFile(join(folder, 'model.safetensors'), 'utf8')).toBe('weights');
});

test.each([
  [{}, true],
  [{ HF_HUB_DISABLE_XET: '0' }, true],
  [{ HF_HUB_DISABLE_XET: '1' }, false],
  [{ HF_HUB_DISABLE_XET: 'true' }, false],
  [{ HF_ENDPOINT: 'https://mirror.example' }, false],
  [{ HF_ENDPOINT: 'https://huggingface.co/' }, true],
])('%j', async (environment, usesXet) => {
  await hub.start();
  const one = new Hub(
    { type: 'model', name: 'owner/tiny' },
    { environment: environment as unknown as NodeJS.ProcessEnv },
  );
  expect(one.usesXet).toBe(usesXet);
});
