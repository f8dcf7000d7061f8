import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storageTrouble } from '../../../activities/engine/files/storage-trouble.js';
import {
  FolderStore,
  fileHashes,
  folderHash,
  MissingArtifactError,
  StoreAwayError,
  StoreFormatError,
  StoreMissingError,
  sha256,
  storeSegments,
  storeUri,
} from '../../../activities/store/index.js';

let root: string;
let store: FolderStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-store-'));
  store = new FolderStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const URI = 'store:runs/r/spec.json';
const SUM = 'runs/r/.sums/spec.json';

async function folderWith(content: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(root, 'made-'));
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
  return folder;
}

describe('files', () => {
  test('nothing is left of the work, whether it succeeded or failed', async () => {
    await store.publishText(URI, 'one');
    await store.publishText(URI, 'two').catch(() => {});
    expect(await readdir(join(root, '.work'))).toEqual([]);
  });
});

describe('folders', () => {
  const CHECKPOINT = 'store:runs/r/checkpoints/p';

  test('take the hashes that whoever wrote the files knows', async () => {
    const folder = await folderWith({ 'config.json': '{}', weights: 'w' });
    const meant = { ...(await fileHashes(folder)), weights: sha256('what was to be written') };
    const { sha256: published } = await store.publishFolder(CHECKPOINT, folder, undefined, { weights: meant.weights });
    expect(published).toBe(folderHash(meant));
    expect(await store.recorded(CHECKPOINT)).toBe(published);
  });

  test('files inside have their path in the hash', async () => {
    const deep = await folderWith({});
    await mkdir(join(deep, 'b'));
    await writeFile(join(deep, 'b', 'c'), '1');
    expect(await fileHashes(deep)).toEqual({ 'b/c': sha256('1') });
    expect(folderHash({ a: 'x' })).not.toBe(folderHash({ b: 'x' }));
  });
});

describe('removing', () => {
  const FILES = { 'config.json': '{}', weights: 'w' };
  const CHECKPOINT = 'store:runs/r/checkpoints/p';
  const publish = async () => store.publishFolder(CHECKPOINT, await folderWith(FILES));

  test('cut short anywhere, leaves it whole or gone, never damaged; both can be removed and published again', async () => {
    const { sha256: expected } = await publish();
    for (let cut = 0; ; cut++) {
      const steps = failAfter(cut);
      const failed = await store.remove(CHECKPOINT).then(
        () => false,
        () => true,
      );
      jest.restoreAllMocks();
      const after = new FolderStore(root);
      if (await after.has(CHECKPOINT)) {
        expect(await fileHashes(await after.localFolder(CHECKPOINT))).toEqual({
          'config.json': sha256('{}'),
          weights: sha256('w'),
        });
      } else {
        await expect(after.localFolder(CHECKPOINT)).rejects.toThrow(MissingArtifactError);
      }
      await publish();
      expect([await after.has(CHECKPOINT), await after.recorded(CHECKPOINT)]).toEqual([true, expected]);
      if (failed) continue;
      // Hash, name, hash again, content: there was something to cut.
      expect(steps()).toBeGreaterThanOrEqual(4);
      break;
    }
  });
});

/** Lets so many changes of the file system happen, and no more: as if the process had been killed then. */
function failAfter(count: number): () => number {
  const fs: typeof import('node:fs/promises') = jest.requireActual('node:fs/promises');
  let done = 0;
  for (const name of ['unlink', 'rename', 'rm'] as const) {
    const real = fs[name] as (...args: unknown[]) => Promise<void>;
    jest.spyOn(fs, name).mockImplementation(async (...args: unknown[]) => {
      if (done >= count) throw new Error('killed');
      done++;
      return real(...args);
    });
  }
  return () => done;
}

describe('names cannot leave the store', () => {
  test.each([
    'store:../outside',
    'store:runs/../../outside',
    'store:/etc/passwd',
    'store:runs//x',
    'store:runs/.work/x',
    'store:runs/a\\b',
    'store:runs/a\0b',
    'store:',
    'file:runs/x',
    '/etc/passwd',
  ])('%j', async uri => {
    expect(() => storeSegments(uri)).toThrow(RangeError);
    await expect(async () => store.publishText(uri, 'x')).rejects.toThrow(RangeError);
    await expect(async () => store.find(uri)).rejects.toThrow(RangeError);
  });

  test('segments are checked when a uri is made', () => {
    expect(storeUri('runs', 'my-run_1.2', 'spec.json')).toBe('store:runs/my-run_1.2/spec.json');
    for (const bad of ['..', '.', '', 'a/b', 'x'.repeat(201)]) expect(() => storeUri('runs', bad)).toThrow(RangeError);
  });
});

describe('a crash between placing an artifact and recording its hash', () => {
  test('whoever finds it first makes that good: later damage is found', async () => {
    await store.publishText(URI, 'content');
    await rm(join(root, SUM));
    expect(await store.find(URI)).toEqual({ uri: URI, sha256: sha256('content') });
    await writeFile(join(root, 'runs/r/spec.json'), 'c0ntent');
    expect(await store.find(URI)).toBeNull();
  });

  test('the record itself may be damaged: that is no damage to the artifact', async () => {
    const ref = await store.publishText(URI, 'content');
    const sum = await readFile(join(root, SUM));
    for (let bit = 0; bit < sum.length * 8; bit += 5) {
      const damaged = Buffer.from(sum);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(join(root, SUM), damaged);
      expect(await store.recorded(URI)).toBeNull();
      expect(await store.find(URI)).toEqual(ref);
      expect(await readFile(join(root, SUM))).toEqual(sum);
    }
  });

  test('a record of an earlier version counts', async () => {
    await store.publishText(URI, 'content');
    await writeFile(join(root, SUM), sha256('content'));
    expect(await store.recorded(URI)).toBe(sha256('content'));
  });
});

describe('a store that goes away', () => {
  const away = () => rename(root, `${root}.away`);
  const back = () => rename(`${root}.away`, root);
  beforeEach(() => store.publishText(URI, 'content'));

  test('is not begun anew where it was, and nothing in it counts as absent', async () => {
    await away();
    await expect(store.publishText('store:runs/r/other', 'x')).rejects.toThrow(StoreAwayError);
    await expect(store.workFolder(async () => {})).rejects.toThrow(StoreAwayError);
    for (const ask of [
      () => store.find(URI),
      () => store.has(URI),
      () => store.list('store:runs'),
      () => store.localFolder('store:runs/r'),
      () => store.readText({ uri: URI, sha256: sha256('content') }),
    ]) {
      await expect(ask()).rejects.toThrow(StoreAwayError);
    }
    await expect(readdir(root)).rejects.toThrow('ENOENT');
    await mkdir(root); // An empty mount point.
    await expect(store.publishText('store:runs/r/other', 'x')).rejects.toThrow('mounted');
    await rm(root, { recursive: true });
    await back();
    await store.publishText('store:runs/r/other', 'x');
    expect(await store.list('store:runs/r')).toEqual(['other', 'spec.json']);
  });

  test('is an error that passes', async () => {
    await away();
    const error = await store.find(URI).catch((error: unknown) => error);
    expect(storageTrouble(error)).toContain('mount it again');
    await back();
  });
});

test('whoever takes a store to be there makes none', async () => {
  await expect(new FolderStore(join(root, 'none')).open()).rejects.toThrow(StoreMissingError);
  await expect(store.open()).rejects.toThrow('longhaul store create');
  expect(await readdir(root)).toEqual([]);
  await mkdir(join(root, 'runs'));
  await store.open(); // As earlier versions left it.
  await new FolderStore(root).open();
});

test('a store that a later version laid out is refused', async () => {
  await writeFile(join(root, '.longhaul-store'), '{"format": 2}');
  await expect(store.create()).rejects.toThrow(StoreFormatError);
  await expect(store.open()).rejects.toThrow(StoreFormatError);
  await expect(store.publishText(URI, 'x')).rejects.toThrow(/format 2; this version of longhaul knows formats up to 1/);
});
