/** Folders of a bucket on this machine: fetched once, checked each time, within a bound. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreAwayError, sha256 } from '../../../../activities/store/index.js';
import { cacheSettings, FolderCache } from '../../../../activities/store/s3/cache.js';

let folder: string;
let fetched: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-cache-'));
  fetched = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const BYTES = 1000;
const textOf = (name: string) => name.repeat(BYTES);
const fileOf = (name: string) => ({ sha256: sha256(textOf(name)), bytes: BYTES });
const ask = (cache: FolderCache, name: string) =>
  cache.folder(name, { [`deep/${name}`]: fileOf(name) }, async (_, path) => {
    fetched.push(name);
    await writeFile(path, textOf(name));
  });
const kept = async () => (await readdir(join(folder, 'folders'))).sort();

test('a folder is fetched once, and a file that the disk damaged again', async () => {
  const cache = new FolderCache({ folder, bound: 1e6 });
  const path = join(await ask(cache, 'a'), 'deep/a');
  await ask(new FolderCache({ folder, bound: 1e6 }), 'a');
  expect(fetched).toEqual(['a']);
  await writeFile(path, 'damaged');
  await ask(cache, 'a');
  expect(await readFile(path, 'utf8')).toBe(textOf('a'));
  expect(fetched).toEqual(['a', 'a']);
});

test('beyond its bound the least lately used go, but never the five that this process had last', async () => {
  const cache = new FolderCache({ folder, bound: 2 * BYTES });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await ask(cache, name);
  expect(await kept()).toEqual(['a', 'b', 'c', 'd', 'e']);
  await ask(cache, 'a'); // used again: b is the oldest now
  await ask(cache, 'f');
  expect(await kept()).toEqual(['a', 'c', 'd', 'e', 'f']);
});

test('within its bound everything stays', async () => {
  const cache = new FolderCache({ folder, bound: 20 * BYTES });
  for (const name of 'abcdefghij') await ask(cache, name);
  expect(await kept()).toHaveLength(10);
});

test('room is made before what is coming comes', async () => {
  const cache = new FolderCache({ folder, bound: 7 * BYTES });
  for (const name of 'abcdefg') await ask(cache, name);
  expect(await kept()).toHaveLength(7);
  await cache.folder('h', { h: fileOf('h') }, async (_, path) => {
    expect(await kept()).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'h']);
    await writeFile(path, textOf('h'));
  });
});

/** A fetch that breaks off with an error. */
const breaksOff = (error: Error) => async (_: string, path: string) => {
  await writeFile(path, 'half');
  throw error;
};

test('what is not as it should be leaves nothing, and stops nobody else', async () => {
  const cache = new FolderCache({ folder, bound: 1e6 });
  await expect(cache.folder('a', { a: fileOf('a') }, breaksOff(new Error('damaged')))).rejects.toThrow('damaged');
  expect([await readdir(join(folder, 'folders/a')), await readdir(join(folder, 'partial'))]).toEqual([[], []]);
  await ask(cache, 'b');
});

test('what a store that went away leaves is gone on with by the next, counts, and is swept a day later', async () => {
  const cache = new FolderCache({ folder, bound: 1e6 });
  const away = () => cache.folder('a', { a: fileOf('a') }, breaksOff(new StoreAwayError('s3://b')));
  await expect(away()).rejects.toThrow('is no longer at s3://b');
  await cache.sweep(60_000);
  let before = '';
  await new FolderCache({ folder, bound: 1e6 }).folder('c', { 'other-name': fileOf('a') }, async (_, path) => {
    before = await readFile(path, 'utf8');
    await writeFile(path, textOf('a'));
  });
  expect([before, await readdir(join(folder, 'partial'))]).toEqual(['half', []]);
  await rm(join(folder, 'folders'), { recursive: true });
  await expect(away()).rejects.toThrow('is no longer at s3://b');
  expect(await readdir(join(folder, 'partial'))).toHaveLength(1);
  await cache.sweep(0);
  expect(await readdir(join(folder, 'partial'))).toEqual([]);
});

test('its place and bound are settings', () => {
  expect(cacheSettings({ HOME: '/home/me' })).toEqual({ folder: '/home/me/.cache/longhaul/store', bound: 100e9 });
  expect(cacheSettings({ LONGHAUL_STORE_CACHE: '/scratch', LONGHAUL_STORE_CACHE_GB: '0.5' })).toEqual({
    folder: '/scratch',
    bound: 5e8,
  });
  expect(() => cacheSettings({ LONGHAUL_STORE_CACHE_GB: 'much' })).toThrow('LONGHAUL_STORE_CACHE_GB=much: expected');
});
