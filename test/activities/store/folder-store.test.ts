import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CorruptArtifactError,
  DivergenceError,
  FolderStore,
  fileHashes,
  folderHash,
  MissingArtifactError,
  publishLines,
  readLines,
  StaleAttemptError,
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
const MARKER = 'store:runs/r/phase-1/attempt.json';

async function folderWith(content: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(root, 'made-'));
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
  return folder;
}

describe('files', () => {
  test('what was published can be found and read', async () => {
    const ref = await store.publishText(URI, 'content');
    expect(ref).toEqual({ uri: URI, sha256: sha256('content') });
    expect(await store.find(URI)).toEqual(ref);
    expect(await store.readText(ref)).toBe('content');
    expect(await readFile(join(root, 'runs/r/spec.json'), 'utf8')).toBe('content');
  });

  test('lines survive, separators of every kind included', async () => {
    const values = [{ text: 'a\nb\r\n\u2028' }, { text: '' }];
    expect(await readLines(store, await publishLines(store, URI, values))).toEqual(values);
    expect(await readLines(store, await publishLines(store, 'store:runs/r/empty.jsonl', []))).toEqual([]);
  });

  test('what was not published is not there', async () => {
    expect(await store.find(URI)).toBeNull();
    expect(await store.has(URI)).toBe(false);
    expect(await store.list('store:runs/r')).toEqual([]);
    await expect(store.readText({ uri: URI, sha256: '' })).rejects.toThrow(MissingArtifactError);
  });

  test('of what may differ the first published stays, alone, for all who come at once', async () => {
    const refs = await Promise.all(Array.from({ length: 20 }, (_, k) => store.publishFirst(URI, `reply ${k}`)));
    const text = await store.readText(refs[0]!);
    expect(text).toMatch(/^reply \d+$/);
    expect(refs).toEqual(refs.map(() => ({ uri: URI, sha256: sha256(text) })));
    expect(await store.list('store:runs/r')).toEqual(['spec.json']);
    expect(await store.publishFirst(URI, 'later')).toEqual(refs[0]);
  });

  test('equal content may be published again, by many at once', async () => {
    const refs = await Promise.all(Array.from({ length: 20 }, () => store.publishText(URI, 'same')));
    expect(new Set(refs.map(ref => ref.sha256))).toEqual(new Set([sha256('same')]));
  });

  test('other content is refused; both are kept, and the error names both hashes', async () => {
    await store.publishText(URI, 'one');
    const error = await store.publishText(URI, 'two').catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DivergenceError);
    for (const part of [URI, sha256('one'), sha256('two')]) expect((error as Error).message).toContain(part);
    const names = (await readdir(join(root, 'runs/r'))).filter(name => !name.startsWith('.'));
    const texts = await Promise.all(names.sort().map(name => readFile(join(root, 'runs/r', name), 'utf8')));
    expect(texts).toEqual(['one', 'two']);
  });

  test('damaged content is found, set aside, and made good by what it was', async () => {
    const ref = await store.publishText(URI, 'content');
    const path = join(root, 'runs/r/spec.json');
    const damage = () => writeFile(path, 'c0ntent');

    await damage();
    const error = await store.readText(ref).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CorruptArtifactError);
    expect((error as Error).message).toContain(`${URI}.damaged`);
    expect(await readFile(`${path}.damaged`, 'utf8')).toBe('c0ntent');
    // Whoever comes second learns the same, not that there never was anything.
    await expect(store.readText(ref)).rejects.toThrow(CorruptArtifactError);
    await expect(store.publishText(URI, 'other')).rejects.toThrow(DivergenceError);
    await store.publishText(URI, 'content');
    expect(await store.readText(ref)).toBe('content');

    await damage();
    expect(await store.find(URI)).toBeNull();
    await store.publishText(URI, 'content');
    await damage();
    await store.publishText(URI, 'content');
    expect(await store.readText(ref)).toBe('content');
    expect((await readdir(join(root, 'runs/r'))).filter(name => name.includes('damaged'))).toHaveLength(3);
  });

  test('a wrong reference damages nothing', async () => {
    const ref = await store.publishText(URI, 'content');
    await expect(store.readText({ uri: URI, sha256: sha256('other') })).rejects.toThrow(CorruptArtifactError);
    expect(await store.readText(ref)).toBe('content');
  });

  test('of many different publishers one wins, whole', async () => {
    const texts = Array.from({ length: 20 }, (_, k) => `${k}`.repeat(10_000));
    const outcomes = await Promise.allSettled(texts.map(text => store.publishText(URI, text)));
    expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(texts).toContain(await readFile(join(root, 'runs/r/spec.json'), 'utf8'));
  });

  test('a flipped bit is found on reading, and named', async () => {
    const ref = await store.publishText(URI, 'content');
    await writeFile(join(root, 'runs/r/spec.json'), 'cOntent');
    const error = await store.readText(ref).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CorruptArtifactError);
    expect((error as Error).message).toContain(URI);
  });

  test('nothing is left of the work, whether it succeeded or failed', async () => {
    await store.publishText(URI, 'one');
    await store.publishText(URI, 'two').catch(() => {});
    expect(await readdir(join(root, '.work'))).toEqual([]);
  });
});

test('sweeping removes the work of writers long dead, and nothing else', async () => {
  await store.publishText(URI, 'x');
  for (const name of ['old', 'new']) await writeFile(join(root, '.work', name), '');
  const days = 2 * 24 * 3600;
  await utimes(join(root, '.work', 'old'), Date.now() / 1000 - days, Date.now() / 1000 - days);
  await utimes(join(root, 'runs/r/spec.json'), Date.now() / 1000 - days, Date.now() / 1000 - days);
  await store.sweep();
  expect(await readdir(join(root, '.work'))).toEqual(['new']);
  expect(await store.has(URI)).toBe(true);
});

describe('folders', () => {
  const CHECKPOINT = 'store:runs/r/checkpoints/p';

  test('appear whole, with the hash of all their files', async () => {
    const folder = await folderWith({ 'config.json': '{}', weights: 'w' });
    const expected = folderHash(await fileHashes(folder));
    expect(await store.publishFolder(CHECKPOINT, folder)).toEqual({ uri: CHECKPOINT, sha256: expected });
    const local = await store.localFolder(CHECKPOINT);
    expect((await readdir(local)).sort()).toEqual(['config.json', 'weights']);
    expect(await store.list('store:runs/r/checkpoints')).toEqual(['p']);
  });

  test('take the hashes that whoever wrote the files knows', async () => {
    const folder = await folderWith({ 'config.json': '{}', weights: 'w' });
    const meant = { ...(await fileHashes(folder)), weights: sha256('what was to be written') };
    const { sha256: published } = await store.publishFolder(CHECKPOINT, folder, undefined, { weights: meant.weights });
    expect(published).toBe(folderHash(meant));
    expect(await store.recorded(CHECKPOINT)).toBe(published);
  });

  test('equal ones may be published again, others not', async () => {
    await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
    await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
    await expect(store.publishFolder(CHECKPOINT, await folderWith({ a: '2' }))).rejects.toThrow(DivergenceError);
    await expect(store.publishFolder(CHECKPOINT, await folderWith({ a: '1', b: '' }))).rejects.toThrow(DivergenceError);
    expect(await fileHashes(await store.localFolder(CHECKPOINT))).toEqual({ a: sha256('1') });
  });

  test('files inside have their path in the hash', async () => {
    const deep = await folderWith({});
    await mkdir(join(deep, 'b'));
    await writeFile(join(deep, 'b', 'c'), '1');
    expect(await fileHashes(deep)).toEqual({ 'b/c': sha256('1') });
    expect(folderHash({ a: 'x' })).not.toBe(folderHash({ b: 'x' }));
  });
});

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

describe('attempts', () => {
  const claim = (attempt: number, overrides = {}) => store.claim(MARKER, { attempt, overrides });

  test('only the current one, or a later one, may publish', async () => {
    await claim(2);
    await store.publishText(URI, 'x', { marker: MARKER, attempt: 2 });
    const stale = { marker: MARKER, attempt: 1 };
    await expect(store.publishText(URI, 'x', stale)).rejects.toThrow(StaleAttemptError);
    await expect(store.publishFolder('store:runs/r/f', await folderWith({ a: '1' }), stale)).rejects.toThrow(
      StaleAttemptError,
    );
    expect(await store.has('store:runs/r/f')).toBe(false);
  });

  test('a claim may be repeated, moves on, and does not go back or change', async () => {
    await claim(1);
    await claim(1);
    await claim(2, { 'rl.groupSize': 4 });
    expect(await store.claimed(MARKER)).toEqual({ attempt: 2, overrides: { 'rl.groupSize': 4 } });
    await expect(claim(1)).rejects.toThrow(StaleAttemptError);
    await expect(claim(2, { 'rl.groupSize': 8 })).rejects.toThrow(DivergenceError);
  });
});
