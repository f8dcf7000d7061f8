/** Folders of a bucket on this machine: fetched once, checked each time, within a bound. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../../activities/store/index.js';
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
const ask = (cache: FolderCache, name: string) =>
  cache.folder(name, { [`deep/${name}`]: sha256(textOf(name)) }, async (_, path) => {
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

test('what cannot be fetched leaves nothing', async () => {
  const cache = new FolderCache({ folder, bound: 1e6 });
  const fail = async (_: string, path: string) => {
    await writeFile(path, 'half');
    throw new Error('broke off');
  };
  await expect(cache.folder('a', { a: sha256('') }, fail)).rejects.toThrow('broke off');
  expect([await readdir(join(folder, 'folders/a')), await readdir(cache.work)]).toEqual([[], []]);
  await ask(cache, 'b'); // and stops nobody else
});

test('its place and bound are settings', () => {
  expect(cacheSettings({ HOME: '/home/me' })).toEqual({ folder: '/home/me/.cache/longhaul/store', bound: 100e9 });
  expect(cacheSettings({ LONGHAUL_STORE_CACHE: '/scratch', LONGHAUL_STORE_CACHE_GB: '0.5' })).toEqual({
    folder: '/scratch',
    bound: 5e8,
  });
  expect(() => cacheSettings({ LONGHAUL_STORE_CACHE_GB: 'much' })).toThrow('LONGHAUL_STORE_CACHE_GB=much: expected');
});
