/** A store as a whole: what it holds, whether that is whole, and copies of it, between all kinds of stores. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Copied,
  copyStore,
  DivergenceError,
  type Entry,
  fileHashes,
  type Inventory,
  openInventory,
  sha256,
  storeSegments,
} from '../../../activities/store/index.js';
import { haveS3Server, type S3Server, startS3Server } from '../../support/s3-server.js';

let work: string;
let server: S3Server | null = null;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'longhaul-whole-'));
  server = haveS3Server ? await startS3Server() : null;
});
afterAll(async () => {
  await server?.stop();
  await rm(work, { recursive: true, force: true });
});

const inFolder = () => mkdtemp(join(work, 'store-'));
const inBucket = async () => (await server!.store()).root;
const KINDS: Record<string, () => Promise<string>> = {
  'a folder': inFolder,
  ...(haveS3Server && { 'a bucket': inBucket }),
};
const isBucket = (root: string) => root.startsWith('s3://');

const FILE = 'store:runs/r/spec.json';
const STEP = 'store:runs/r/phase-1/1/steps/1/update.json';
const FOLDER = 'store:runs/r/checkpoints/p';
const GONE = 'store:runs/r/checkpoints/q';

async function made(inventory: Inventory, uri: string, content: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(work, 'made-'));
  for (const [file, text] of Object.entries(content)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await inventory.addFolder(uri, folder);
  // It stays as it is.
  expect(Object.keys(await fileHashes(folder)).sort()).toEqual(Object.keys(content).sort());
}

/** A store with files, one of an identity of its own; a folder; one that was set aside; and a divergent file. */
async function filled(root: string): Promise<Inventory> {
  const inventory = await openInventory(root);
  const { store } = inventory;
  if (!isBucket(root)) await store.create();
  await store.publishText(FILE, '{"spec": "\u00e4\u2028"}');
  await store.publishText(STEP, 'made by 1', undefined, sha256('made'));
  await expect(store.publishText(FILE, 'other')).rejects.toThrow(DivergenceError);
  await made(inventory, FOLDER, { 'state.json': '{}', 'deep/weights': 'w'.repeat(100) });
  await made(inventory, GONE, { a: '1' });
  await store.setAside(GONE);
  return inventory;
}

async function entriesOf(inventory: Inventory): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of inventory.entries()) found.push(entry);
  return found.sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

/** The file that holds an artifact's bytes, or those of one of a folder's. */
async function fileOf(root: string, uri: string, file?: string): Promise<string> {
  const path = storeSegments(uri).join('/');
  if (!isBucket(root)) return join(root, path, file ?? '');
  const object = server!.fileOf(root, `artifacts/${path}`);
  if (!file) return object;
  return server!.fileOf(root, `${JSON.parse(await readFile(object, 'utf8')).parts}/${file}`);
}

describe.each(Object.entries(KINDS))('%s', (_, make) => {
  test('tells all that it holds, with hashes and sizes', async () => {
    const found = await entriesOf(await filled(await make()));
    const told = found.map(({ uri, kind, bytes }) => [uri.replace('store:runs/r/', ''), kind, bytes]);
    expect(told.filter(([uri]) => !/damaged|diverged/.test(String(uri)))).toEqual([
      ['checkpoints/p', 'folder', 102],
      ['checkpoints/q', null, null],
      ['phase-1/1/steps/1/update.json', 'file', 9],
      ['spec.json', 'file', 17],
    ]);
    expect(told.filter(([uri]) => /damaged|diverged/.test(String(uri))).map(([uri]) => uri)).toEqual([
      'checkpoints/q.damaged',
      `spec.json.diverged-${sha256('other').slice(0, 12)}`,
    ]);
    const sums = new Map(found.map(({ uri, sum }) => [uri, sum]));
    expect(sums.get(STEP)).toEqual({ sha256: sha256('made by 1'), identity: sha256('made') });
    expect(sums.get(GONE)?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('an empty one holds nothing', async () => {
    const root = await make();
    const inventory = await openInventory(root);
    if (!isBucket(root)) await inventory.store.create();
    expect([await entriesOf(inventory), await inventory.leftovers()]).toEqual([[], []]);
  });

  test('finds what is damaged, and leaves it where it is', async () => {
    const root = await make();
    const inventory = await filled(root);
    const wrong = async () => {
      const found: [string, string][] = [];
      for (const entry of await entriesOf(inventory)) {
        const why = await inventory.damageOf(entry);
        if (why) found.push([entry.uri, why]);
      }
      return found;
    };
    expect(await wrong()).toEqual([[GONE, expect.stringContaining('set aside as damaged')]]);
    await writeFile(await fileOf(root, FILE), '{"spec": 2}');
    await writeFile(await fileOf(root, FOLDER, 'deep/weights'), 'W'.repeat(100));
    expect((await wrong()).map(([uri]) => uri)).toEqual([FOLDER, GONE, FILE]);
    expect(await wrong()).toHaveLength(3);
    const [file] = (await entriesOf(inventory)).filter(({ uri }) => uri === FILE);
    await expect(inventory.textOf(file!)).rejects.toThrow('is damaged');
    const [folder] = (await entriesOf(inventory)).filter(({ uri }) => uri === FOLDER);
    await expect(inventory.folderOf(folder!)).rejects.toThrow('is damaged');
    expect(await wrong()).toHaveLength(3);
  });
});

const PAIRS = Object.entries(KINDS).flatMap(([a, from]) =>
  Object.entries(KINDS).map(([b, to]) => ({ name: `${a} into ${b}`, from, to })),
);

describe.each(PAIRS)('$name', ({ from, to }) => {
  const copy = async (source: Inventory, target: Inventory): Promise<Copied> => copyStore(source, target, () => {});
  /** Of what was kept as divergent a folder notes no hash. */
  const shown = (entries: Entry[]) =>
    entries
      .filter(({ uri }) => !uri.includes('.damaged'))
      .map(entry => (entry.uri.includes('.diverged') ? { ...entry, sum: null } : entry));

  test('copies all but what was set aside, with its hashes; once more copies nothing', async () => {
    const source = await filled(await from());
    const target = await openInventory(await to());
    const first = await copy(source, target);
    expect(first).toMatchObject({ copied: 5, there: 0, aside: 1, damaged: [] });
    expect(shown(await entriesOf(target))).toEqual(shown(await entriesOf(source)));
    expect(await copy(source, target)).toMatchObject({ copied: 0, there: 5, bytes: 0 });
    expect(await fileHashes(await target.store.localFolder(FOLDER))).toEqual({
      'deep/weights': sha256('w'.repeat(100)),
      'state.json': sha256('{}'),
    });
    // As at its source: only what it was may take its place.
    await expect(made(target, GONE, { a: '2' })).rejects.toThrow(DivergenceError);
    await made(target, GONE, { a: '1' });
    expect(await target.store.publishText(STEP, 'made by 2', undefined, sha256('made'))).toEqual({
      uri: STEP,
      sha256: sha256('made by 1'),
    });
  });

  test('goes on where it stopped, and copies nothing that is damaged', async () => {
    const root = await from();
    const source = await filled(root);
    const target = await openInventory(await to());
    await target.store.create();
    await target.store.publishText(FILE, await source.store.readText((await source.store.find(FILE))!));
    await writeFile(await fileOf(root, FOLDER, 'state.json'), '[]');
    await writeFile(await fileOf(root, STEP), 'made by 9');
    const found = await copy(source, target);
    expect(found).toMatchObject({ copied: 2, there: 1 });
    expect(found.damaged.join('\n')).toMatch(new RegExp(`${STEP} is damaged[^]*${FOLDER}.* is damaged`));
    expect([await target.store.has(FOLDER), await target.store.has(STEP)]).toEqual([false, false]);
  });

  test('stops where the target has other content under a name', async () => {
    const target = await openInventory(await to());
    await target.store.create();
    await target.store.publishText(FILE, 'another run of this name');
    await expect(copy(await filled(await from()), target)).rejects.toThrow(DivergenceError);
  });
});

test('of a folder, what a publisher left before its hash was recorded is told, and copied', async () => {
  const [source, target] = [await openInventory(await inFolder()), await openInventory(await inFolder())];
  await source.store.create();
  await source.store.publishText(FILE, 'x');
  await mkdir(join(source.store.root, 'runs/r/checkpoints/p'), { recursive: true });
  await writeFile(join(source.store.root, 'runs/r/checkpoints/p/weights'), 'w');
  expect((await entriesOf(source)).map(({ uri, kind, sum }) => [uri, kind, sum === null])).toEqual([
    [FOLDER, 'folder', true],
    [FILE, 'file', false],
  ]);
  await copyStore(source, target, () => {});
  expect(await readdir(await target.store.localFolder(FOLDER))).toEqual(['weights']);
});
