/** A store that is taken away at any moment of a publication, and comes back: it is said to be away, and nothing is lost. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore, fileHashes, sha256 } from '../../../activities/store/index.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'longhaul-away-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const CHANGES = ['mkdir', 'open', 'writeFile', 'link', 'rename', 'readFile', 'stat'] as const;

/** Calls `strike` before the file-system operation of that number; returns how many there have been. */
function before(number: number, strike: () => Promise<void>): () => number {
  const fs: typeof import('node:fs/promises') = jest.requireActual('node:fs/promises');
  let begun = 0;
  for (const name of CHANGES) {
    const real = fs[name] as (...args: unknown[]) => Promise<unknown>;
    jest.spyOn(fs, name).mockImplementation((async (...args: unknown[]) => {
      if (begun++ === number) await strike();
      return real(...args);
    }) as never);
  }
  return () => begun;
}

const FILE = 'store:runs/r/steps/1/update.json';
const FOLDER = 'store:runs/r/checkpoints/p';
const CONTENT = { 'config.json': '{}', weights: 'w'.repeat(10_000) };

const WAYS: Record<string, (store: FolderStore) => Promise<unknown>> = {
  'a file': store => store.publishText(FILE, 'content'),
  'what is published first': store => store.publishFirst(FILE, 'content'),
  'a folder': store =>
    store.workFolder(async folder => {
      // As the engine does: a folder of its own, which is not made again where the store was.
      const own = join(folder, 'policy');
      await mkdir(own);
      for (const [name, text] of Object.entries(CONTENT)) await writeFile(join(own, name), text);
      await store.publishFolder(FOLDER, own);
    }),
};

test.each(Object.entries(WAYS))('%s', async (_, publish) => {
  let struck = 0;
  for (let number = 0; ; number++) {
    const root = join(parent, String(number));
    const store = new FolderStore(root);
    await store.create();
    const { rename: move } = jest.requireActual('node:fs/promises') as { rename: typeof rename };
    const begun = before(number, () => move(root, `${root}.away`));
    const error = await publish(store).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    const reached = begun() > number;
    jest.restoreAllMocks();
    if (!reached) break;
    struck++;
    // Once all is in place, its going away is no longer the publisher's to see.
    if (error !== null) expect(error).toMatchObject({ name: 'StoreAwayError', code: 'ESTOREAWAY' });
    // Nothing was begun where the store was.
    await rename(`${root}.away`, root);
    await publish(store);
    if (await store.has(FILE)) expect(await store.find(FILE)).toMatchObject({ sha256: sha256('content') });
    if (await store.has(FOLDER)) {
      expect(await fileHashes(await store.localFolder(FOLDER))).toEqual(
        Object.fromEntries(Object.entries(CONTENT).map(([name, text]) => [name, sha256(text)])),
      );
    }
  }
  expect(struck).toBeGreaterThanOrEqual(5);
});

test('what is missing elsewhere is no word about the store', async () => {
  const store = new FolderStore(join(parent, 'store'));
  await expect(store.workFolder(() => rename(join(parent, 'nothing'), join(parent, 'else')))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
