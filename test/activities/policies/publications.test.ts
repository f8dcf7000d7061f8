import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Publications } from '../../../activities/policies/publications.js';
import { FolderStore, sha256 } from '../../../activities/store/index.js';

const uri = (name: string) => `store:runs/r/${name}`;
let store: FolderStore;

beforeEach(async () => {
  store = new FolderStore(await mkdtemp(join(tmpdir(), 'longhaul-')));
  await store.create();
});
afterEach(() => rm(store.root, { recursive: true, force: true }));

const during = (work: (publications: Publications) => Promise<void>, check = () => {}) =>
  Publications.during(store, check, work);

test('are made one after the other, in their order', async () => {
  const order: string[] = [];
  const { publishText } = store;
  store.publishText = async (of, ...rest) => {
    order.push(`${of} begins`);
    const ref = await publishText.call(store, of, ...rest);
    order.push(`${of} ends`);
    return ref;
  };
  const [large, small] = [uri('large'), uri('small')];
  await during(async publications => {
    publications.text(large, 'x'.repeat(1_000_000));
    publications.text(small, 'x');
  });
  expect(order).toEqual([`${large} begins`, `${large} ends`, `${small} begins`, `${small} ends`]);
});

test('are read before they are made as they are afterwards', async () => {
  const earlier = await store.publishText(uri('b'), 'earlier');
  await during(async publications => {
    const ref = publications.text(uri('a'), 'ä text');
    expect(ref).toEqual({ uri: uri('a'), sha256: sha256('ä text') });
    expect(await publications.readText(ref)).toBe('ä text');
    await publications.done();
    expect(await store.find(ref.uri)).toEqual(ref);
    expect(await publications.readText(ref)).toBe('ä text');
    expect(await publications.readText(earlier)).toBe('earlier');
  });
});

test('are not read from the store again, up to a bound', async () => {
  const read: string[] = [];
  const { readText } = store;
  store.readText = ref => {
    read.push(ref.uri);
    return readText.call(store, ref);
  };
  await during(async publications => {
    const refs = ['a', 'b', 'c'].map(name => publications.text(uri(name), name.repeat(12 << 20)));
    await publications.done();
    for (const ref of refs) expect(sha256(await publications.readText(ref))).toBe(ref.sha256);
  });
  expect(read).toEqual([uri('a')]);
});

test('after one that failed nothing more is published; what came before is there', async () => {
  await store.publishText(uri('b'), 'other');
  const failing = during(async publications => {
    for (const name of ['a', 'b', 'c']) publications.text(uri(name), name);
  });
  await expect(failing).rejects.toThrow('already published with other content');
  expect(await store.list('store:runs/r')).toEqual(expect.arrayContaining(['a', 'b']));
  expect(await store.has(uri('c'))).toBe(false);
});

test('nothing is published once nothing is to be', async () => {
  const check = () => {
    throw new Error('cancelled');
  };
  const failing = during(async publications => void publications.text(uri('a'), 'a'), check);
  await expect(failing).rejects.toThrow('cancelled');
  expect(await store.has(uri('a'))).toBe(false);
});

test('are made before the work ends, also where it fails', async () => {
  const failing = during(async publications => {
    publications.text(uri('a'), 'x'.repeat(1_000_000));
    throw new Error('the engine died');
  });
  await expect(failing).rejects.toThrow('the engine died');
  expect(await store.has(uri('a'))).toBe(true);
});
