/** What every store promises, whatever it is: one table of cases for all of them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  type OpenedStore,
  publishLines,
  readLines,
  StaleAttemptError,
  sha256,
  storeSegments,
} from '../../../activities/store/index.js';
import { haveS3Server, type S3Server, startS3Server } from '../../support/s3-server.js';

/** A new store, and what tests do to it from outside. */
interface Given {
  store: OpenedStore;
  /** Changes the content of a published file. */
  damage(uri: string, text: string): Promise<void>;
  /** Takes a file out of a published folder. */
  loseFile(uri: string, file: string): Promise<void>;
}

let work: string;
let server: S3Server | null = null;

const KINDS: Record<string, () => Promise<Given>> = {
  'a folder': async () => {
    const store = new FolderStore(await mkdtemp(join(work, 'store-')));
    const pathOf = (uri: string) => join(store.root, ...storeSegments(uri));
    return {
      store,
      damage: (uri, text) => writeFile(pathOf(uri), text),
      loseFile: (uri, file) => rm(join(pathOf(uri), file)),
    };
  },
  ...(haveS3Server && {
    'a bucket': async () => {
      server ??= await startS3Server();
      const { overwrite, read, remove } = server;
      const store = await server.store();
      const keyOf = (uri: string) => `artifacts/${storeSegments(uri).join('/')}`;
      return {
        store,
        damage: (uri, text) => overwrite(store.root, keyOf(uri), text),
        loseFile: async (uri, file) => {
          const { parts } = JSON.parse(await read(store.root, keyOf(uri)));
          await remove(store.root, `${parts}/${file}`);
        },
      };
    },
  }),
};

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'longhaul-contract-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(work, { recursive: true, force: true });
});

const URI = 'store:runs/r/spec.json';

async function folderWith(content: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(given.store.root.startsWith('s3:') ? work : given.store.root, 'made-'));
  for (const [name, text] of Object.entries(content)) await writeFile(join(folder, name), text);
  return folder;
}

let given: Given;

describe.each(Object.entries(KINDS))('a store that is %s', (_, make) => {
  let store: OpenedStore;
  beforeEach(async () => {
    given = await make();
    store = given.store;
  });
  const textOf = async (uri: string) => store.readText((await store.find(uri))!);

  describe('files', () => {
    test('what was published can be found and read', async () => {
      const ref = await store.publishText(URI, 'content');
      expect(ref).toEqual({ uri: URI, sha256: sha256('content') });
      expect(await store.find(URI)).toEqual(ref);
      expect(await store.readText(ref)).toBe('content');
    });

    test('when it was published is known, and stays; of what is not there nothing is', async () => {
      const before = Date.now();
      expect(await store.publishedAt(URI)).toBeNull();
      await store.publishText(URI, 'content');
      const at = (await store.publishedAt(URI))!;
      // Servers tell whole seconds.
      expect(at.getTime()).toBeGreaterThanOrEqual(before - 2000);
      expect(Math.abs(at.getTime() - before)).toBeLessThan(60_000);
      expect(await store.publishedAt('store:runs/r/other.json')).toBeNull();
      await store.publishText(URI, 'content');
      expect(await store.publishedAt(URI)).toEqual(at);
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
      const names = await store.list('store:runs/r');
      expect(await Promise.all(names.map(name => textOf(`store:runs/r/${name}`)))).toEqual(['one', 'two']);
    });

    test('damaged content is found, set aside, and made good by what it was', async () => {
      const ref = await store.publishText(URI, 'content');
      const damage = () => given.damage(URI, 'c0ntent');

      await damage();
      const error = await store.readText(ref).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CorruptArtifactError);
      expect((error as Error).message).toContain(`${URI}.damaged`);
      expect(await textOf(`${URI}.damaged`)).toBe('c0ntent');
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
      expect((await store.list('store:runs/r')).filter(name => name.includes('damaged'))).toHaveLength(3);
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
      expect(texts).toContain(await textOf(URI));
    });

    test('a flipped bit is found on reading, and named', async () => {
      const ref = await store.publishText(URI, 'content');
      await given.damage(URI, 'cOntent');
      const error = await store.readText(ref).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(CorruptArtifactError);
      expect((error as Error).message).toContain(URI);
    });

    test('where part of the content may differ, what was damaged gives way to other content of the same identity', async () => {
      const publish = (text: string, identity: string) => store.publishText(URI, text, undefined, sha256(identity));
      const first = await publish('made by 1', 'made');
      expect(await publish('made by 2', 'made')).toEqual(first);
      await expect(publish('lost by 2', 'lost')).rejects.toThrow(DivergenceError);
      await given.damage(URI, 'm');
      expect(await store.find(URI)).toBeNull();
      await expect(publish('lost by 2', 'lost')).rejects.toThrow(DivergenceError);
      expect(await publish('made by 3', 'made')).toEqual({ uri: URI, sha256: sha256('made by 3') });
      expect(await store.find(URI)).toEqual({ uri: URI, sha256: sha256('made by 3') });
      expect(await publish('made by 4', 'made')).toEqual({ uri: URI, sha256: sha256('made by 3') });
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

    test('equal ones may be published again, others not', async () => {
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
      await expect(store.publishFolder(CHECKPOINT, await folderWith({ a: '2' }))).rejects.toThrow(DivergenceError);
      await expect(store.publishFolder(CHECKPOINT, await folderWith({ a: '1', b: '' }))).rejects.toThrow(
        DivergenceError,
      );
      expect(await fileHashes(await store.localFolder(CHECKPOINT))).toEqual({ a: sha256('1') });
    });

    test('of which only some files are wanted has at least those', async () => {
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1', b: '2' }));
      const local = await store.localFolder(CHECKPOINT, file => file === 'b');
      expect(await readFile(join(local, 'b'), 'utf8')).toBe('2');
      expect(await store.fileSizes(CHECKPOINT)).toEqual({ a: 1, b: 1 });
    });

    test('that were set aside are missed, and made good only by what they were', async () => {
      const { sha256: published } = await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
      expect(await store.setAside(CHECKPOINT)).toBe(`${CHECKPOINT}.damaged`);
      expect([await store.has(CHECKPOINT), await store.recorded(CHECKPOINT)]).toEqual([false, published]);
      await expect(store.localFolder(CHECKPOINT)).rejects.toThrow(CorruptArtifactError);
      await expect(store.publishFolder(CHECKPOINT, await folderWith({ a: '2' }))).rejects.toThrow(DivergenceError);
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1' }));
      expect(await fileHashes(await store.localFolder(CHECKPOINT))).toEqual({ a: sha256('1') });
    });

    test('one that lost a file is made good by publishing it again', async () => {
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1', b: '2' }));
      await given.loseFile(CHECKPOINT, 'b');
      await store.publishFolder(CHECKPOINT, await folderWith({ a: '1', b: '2' }));
      expect(await fileHashes(await store.localFolder(CHECKPOINT))).toEqual({ a: sha256('1'), b: sha256('2') });
      expect(await store.has(`${CHECKPOINT}.damaged`)).toBe(true);
    });

    test('of many that differ one is published, whole, and the others are kept beside it', async () => {
      const folders = await Promise.all(['1', '2', '3', '4'].map(text => folderWith({ a: text, b: text })));
      const outcomes = await Promise.allSettled(folders.map(folder => store.publishFolder(CHECKPOINT, folder)));
      expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1);
      const { a, b } = await fileHashes(await store.localFolder(CHECKPOINT));
      expect(a).toBe(b);
      expect(await store.list('store:runs/r/checkpoints')).toHaveLength(4);
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
      expect(await store.list('store:runs/r/checkpoints')).toEqual(['p']);
    });
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
      const damage = (attempt: number) => given.damage(`store:runs/r/phase-1/${attempt}/claim.json`, 'x');
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
});
