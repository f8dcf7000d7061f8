import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Publications } from '../../activities/publications.js';
import { FolderStore, sha256 } from '../../activities/store/index.js';

const uri = (name: string) => `store:runs/r/${name}`;
let store: FolderStore;

beforeEach(async () => {
  store = new FolderStore(await mkdtemp(join(tmpdir(), 'longhaul-')));
  await store.create();
});
afterEach(() => rm(store.root, { recursive: true, force: true }));

test('are made one after the other, in their order', async () => {
  const order: string[] = [];
  const { publishText } = store;
  store.publishText = async (of, ...rest) => {
    order.push(`${of} begins`);
    const ref = await publishText.call(store, of, ...rest);
    order.push(`${of} ends`);
    return ref;
  };
  const publications = new Publications(store, () => {});
  const [large, small] = [uri('large'), uri('small')];
  publications.add(large, 'x'.repeat(1_000_000));
  publications.add(small, 'x');
  await publications.done();
  expect(order).toEqual([`${large} begins`, `${large} ends`, `${small} begins`, `${small} ends`]);
});

test('are read before they are made as they are afterwards', async () => {
  const publications = new Publications(store, () => {});
  const ref = publications.add(uri('a'), 'ä text');
  expect(ref).toEqual({ uri: uri('a'), sha256: sha256('ä text') });
  expect(await publications.readText(ref)).toBe('ä text');
  await publications.done();
  expect(await store.find(ref.uri)).toEqual(ref);
  expect(await publications.readText(ref)).toBe('ä text');
  const earlier = await store.publishText(uri('b'), 'earlier');
  expect(await publications.readText(earlier)).toBe('earlier');
});

test('after one that failed nothing more is published; what came before is there', async () => {
  await store.publishText(uri('b'), 'other');
  const publications = new Publications(store, () => {});
  for (const name of ['a', 'b', 'c']) publications.add(uri(name), name);
  await expect(publications.done()).rejects.toThrow('already published with other content');
  await publications.over();
  expect(await store.list('store:runs/r')).toEqual(expect.arrayContaining(['a', 'b']));
  expect(await store.has(uri('c'))).toBe(false);
});

test('nothing is published once nothing is to be', async () => {
  const publications = new Publications(store, () => {
    throw new Error('cancelled');
  });
  publications.add(uri('a'), 'a');
  await expect(publications.done()).rejects.toThrow('cancelled');
  expect(await store.has(uri('a'))).toBe(false);
});
