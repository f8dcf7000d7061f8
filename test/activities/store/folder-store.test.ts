import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storageTrouble } from '../../../activities/engine/files/storage-trouble.js';
import {
  CorruptArtifactError,
  claimedAttempt,
  claimStage,
  currentClaim,
  DivergenceError,
  FolderStore,
  fileHashes,
  folderHash,
  MissingArtifactError,
  publishLines,
  readLines,
  StaleAttemptError,
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

describe('removing', () => {
  const FILES = { 'config.json': '{}', weights: 'w' };
  const CHECKPOINT = 'store:runs/r/checkpoints/p';
  const publish = async () => store.publishFolder(CHECKPOINT, await folderWith(FILES));

  test('leaves nothing, as if it had never been published; twice is once', async () => {
    await publish();
    await store.publishText(URI, 'content');
    for (const uri of [CHECKPOINT, URI, CHECKPOINT, 'store:runs/r/never']) await store.remove(uri);
    expect([await store.has(CHECKPOINT), await store.recorded(CHECKPOINT)]).toEqual([false, null]);
    await expect(store.localFolder(CHECKPOINT)).rejects.toThrow(MissingArtifactError);
    expect(await store.find(URI)).toBeNull();
    expect(await readdir(join(root, '.work'))).toEqual([]);
    expect(await store.publishText(URI, 'other')).toEqual({ uri: URI, sha256: sha256('other') });
  });

  test('is for the current attempt', async () => {
    await publish();
    const stage = 'store:runs/r/phase-1';
    await claimStage(store, stage, { attempt: 2, overrides: {} });
    await expect(store.remove(CHECKPOINT, { stage, attempt: 1 })).rejects.toThrow(StaleAttemptError);
    expect(await store.has(CHECKPOINT)).toBe(true);
    await store.remove(CHECKPOINT, { stage, attempt: 2 });
    expect(await store.has(CHECKPOINT)).toBe(false);
  });

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

  test('of one that is read and published all the while harms nobody', async () => {
    const { sha256: expected } = await publish();
    const rounds = Array.from({ length: 30 });
    const publishing = rounds.reduce<Promise<unknown>>(before => before.then(publish), Promise.resolve());
    const removing = rounds.reduce<Promise<unknown>>(
      before => before.then(() => store.remove(CHECKPOINT)),
      Promise.resolve(),
    );
    await Promise.all([publishing, removing]);
    const found = await publish();
    expect(found.sha256).toBe(expected);
    expect((await readdir(join(root, 'runs/r/checkpoints'))).filter(name => name !== '.sums')).toEqual(['p']);
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

  test('where part of the content may differ, what was damaged gives way to other content of the same identity', async () => {
    const publish = (text: string, identity: string) => store.publishText(URI, text, undefined, sha256(identity));
    const first = await publish('made by 1', 'made');
    expect(await publish('made by 2', 'made')).toEqual(first);
    await expect(publish('lost by 2', 'lost')).rejects.toThrow(DivergenceError);
    await writeFile(join(root, 'runs/r/spec.json'), 'm');
    expect(await store.find(URI)).toBeNull();
    await expect(publish('lost by 2', 'lost')).rejects.toThrow(DivergenceError);
    expect(await publish('made by 3', 'made')).toEqual({ uri: URI, sha256: sha256('made by 3') });
    expect(await store.find(URI)).toEqual({ uri: URI, sha256: sha256('made by 3') });
    expect(await publish('made by 4', 'made')).toEqual({ uri: URI, sha256: sha256('made by 3') });
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

describe('attempts', () => {
  const STAGE = 'store:runs/r/phase-1';
  const claim = (attempt: number, overrides = {}) => claimStage(store, STAGE, { attempt, overrides });

  test('only the current one, or a later one, may publish', async () => {
    await claim(2);
    await store.publishText(URI, 'x', { stage: STAGE, attempt: 2 });
    const stale = { stage: STAGE, attempt: 1 };
    await expect(store.publishText(URI, 'x', stale)).rejects.toThrow(StaleAttemptError);
    await expect(store.publishFolder('store:runs/r/f', await folderWith({ a: '1' }), stale)).rejects.toThrow(
      StaleAttemptError,
    );
    expect(await store.has('store:runs/r/f')).toBe(false);
  });

  test('a damaged claim fences as before, is named, and made again where the first attempt is meant', async () => {
    const damage = (attempt: number) => writeFile(join(root, `runs/r/phase-1/${attempt}/claim.json`), 'x');
    await claim(1);
    await damage(1);
    expect(await currentClaim(store, STAGE)).toEqual({ attempt: 1, overrides: {} });
    await claim(1);
    await claim(2, { seed: 3 });
    await damage(2);
    await expect(store.publishText(URI, 'x', { stage: STAGE, attempt: 1 })).rejects.toThrow(StaleAttemptError);
    await expect(currentClaim(store, STAGE)).rejects.toThrow('phase-1/2/claim.json');
    expect(await claimedAttempt(store, STAGE)).toBe(2);
    await claim(2, { seed: 3 });
    expect(await currentClaim(store, STAGE)).toEqual({ attempt: 2, overrides: { seed: 3 } });
  });

  test('a claim of an earlier version counts until there is a newer one', async () => {
    await store.publishText(`${STAGE}/attempt.json`, '{"attempt": 2, "overrides": {"seed": 3}}');
    expect(await currentClaim(store, STAGE)).toEqual({ attempt: 2, overrides: { seed: 3 } });
    await expect(claim(1)).rejects.toThrow(StaleAttemptError);
    await claim(3);
    expect(await currentClaim(store, STAGE)).toEqual({ attempt: 3, overrides: {} });
  });

  test('a claim may be repeated, moves on, and does not go back or change', async () => {
    await claim(1);
    await claim(1);
    await claim(2, { 'rl.groupSize': 4 });
    expect(await currentClaim(store, STAGE)).toEqual({ attempt: 2, overrides: { 'rl.groupSize': 4 } });
    await expect(claim(1)).rejects.toThrow(StaleAttemptError);
    await expect(claim(2, { 'rl.groupSize': 8 })).rejects.toThrow(DivergenceError);
  });
});
