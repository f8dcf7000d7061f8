import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, openSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import { COMMIT, FakeHub } from '../../support/fake-hub.js';

const FIXTURES = join(__dirname, '../../fixtures/datasets');
const LINE = (id: string) => `${JSON.stringify({ id, question: 'Who?', context: 'Ann did.', answer: 'Ann' })}\n`;
let hub: FakeHub;
let environment: NodeJS.ProcessEnv;
let cacheDir: string;
beforeEach(async () => {
  hub = new FakeHub('dataset');
  environment = { HF_ENDPOINT: await hub.start() };
  cacheDir = await mkdtemp(join(tmpdir(), 'longhaul-data-'));
  hub.files.set('README.md', Buffer.from('not data'));
  hub.files.set('data/b.jsonl', Buffer.from(LINE('b')));
  hub.files.set('data/a.jsonl', Buffer.from(LINE('a')));
  hub.files.set('data/notes.txt', Buffer.from('not data'));
  hub.files.set('data/deep/c.jsonl', Buffer.from(LINE('c')));
  hub.files.set('hub.parquet', await readFile(join(FIXTURES, 'hotpotqa-hub.parquet')));
});
afterEach(async () => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

async function read(
  path: string,
  options: { type?: string; environment?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
) {
  const { type = 'jsonl', ...context } = options;
  const opened = openSource(sourceSchema.parse({ type, path }), { cacheDir, environment, ...context });
  const samples: Sample[] = [];
  for await (const sample of opened.samples) samples.push(sample);
  return { ids: samples.map(sample => sample.id), summary: opened.summary() };
}
const downloads = () =>
  hub.requests.filter(path => path.includes('/resolve/')).map(path => path.split(`${COMMIT}/`).at(-1));
const refused = async (...args: Parameters<typeof read>): Promise<Error> => {
  const error = await read(...args).catch((e: Error) => e);
  expect(error).toHaveProperty('message');
  return error as Error;
};

test('a folder: its data files by name, pinned to the commit', async () => {
  const { ids, summary } = await read('hf:owner/tiny/data');
  expect(ids).toEqual(['a', 'b']);
  expect(new Set(downloads())).toEqual(new Set(['data/a.jsonl', 'data/b.jsonl']));
  expect(summary.source).toBe(`hf:owner/tiny@${COMMIT}/data`);
  expect(summary.files.map(file => [file.path, file.bytes])).toEqual([
    [`hf:owner/tiny@${COMMIT}/data/a.jsonl`, LINE('a').length],
    [`hf:owner/tiny@${COMMIT}/data/b.jsonl`, LINE('b').length],
  ]);
});

test.each([
  ['hf:owner/tiny@v1/data/b.jsonl', ['b']],
  ['hf:owner/tiny@main/data/a*', ['a']],
  ['hf:owner/tiny/data/deep/', ['c']],
  ['hf:datasets/owner/tiny/data/*.jsonl', ['a', 'b']],
])('%s', async (path, expected) => {
  expect((await read(path)).ids).toEqual(expected);
});

test('the top of the repository, without the folders below', async () => {
  expect((await read('hf:owner/tiny', { type: 'hotpotqa' })).ids).toHaveLength(7);
  expect(new Set(downloads())).toEqual(new Set(['hub.parquet']));
});

test('what was asked for of a commit needs no Hub again', async () => {
  const first = await read('hf:owner/tiny/data');
  await hub.stop();
  expect(await read(first.summary.source)).toEqual(first);
  const error = await refused('hf:owner/tiny/data');
  expect(error.message).toMatch(
    `data set 'hf:owner/tiny/data': cannot be fetched from ${environment.HF_ENDPOINT}: fetch failed`,
  );
  expect(error.message).toMatch(`usable without the Hub: hf:owner/tiny@${COMMIT}`);
  expect(error).not.toBeInstanceOf(DataError);
  await hub.start();
});

test('the token goes along', async () => {
  await read('hf:owner/tiny/data', { environment: { ...environment, HF_TOKEN: 'hf_secret' } });
  expect(hub.tokens).toEqual(new Set(['Bearer hf_secret']));
});

test.each([
  ['hub.parquet', 'hotpotqa', 'SHA-256 [0-9a-f]{64}'],
  ['data/a.jsonl', 'jsonl', 'git hash [0-9a-f]{40}'],
])('%s that is not what the Hub listed is refused and not kept', async (path, type, hash) => {
  const genuine = hub.files.get(path)!;
  const changes: Buffer[] = [
    Buffer.from(genuine).fill(1, 20, 21),
    genuine.subarray(1),
    Buffer.concat([genuine, genuine]),
  ];
  for (const change of changes) {
    hub.sent.set(path, change);
    const { message } = await refused(`hf:owner/tiny/${path}`, { type });
    expect(message).toMatch(
      new RegExp(`${path} came as .*; expected ${genuine.length} bytes with ${hash}, as the Hub lists it: try again`),
    );
    const kept = await readdir(join(cacheDir, 'datasets--owner--tiny', COMMIT), { recursive: true });
    expect(kept.filter(name => /parquet|jsonl/.test(name))).toEqual([]);
  }
  hub.sent.clear();
  expect((await read(`hf:owner/tiny/${path}`, { type })).ids.length).toBeGreaterThan(0);
});

test('an interrupted download goes on with the file it was at', async () => {
  hub.faults.set(/b\.jsonl$/, response => response.destroy());
  expect((await refused('hf:owner/tiny/data')).message).toMatch(/cannot be fetched/);
  hub.faults.clear();
  hub.requests = [];
  expect((await read('hf:owner/tiny/data')).ids).toEqual(['a', 'b']);
  expect(new Set(downloads())).toEqual(new Set(['data/b.jsonl']));
});

test.each([
  ['hf:owner/tiny/none.jsonl', /hf:owner\/tiny@c0ffee0+ holds no 'none\.jsonl'/],
  ['hf:owner/tiny/data/z*', /expected data files, ending in .*\.parquet.*; there is none/],
  ['hf:owner/nothing/data', /data set 'hf:owner\/nothing\/data': the Hub has no such data set or revision/],
  ['hf:owner', /expected hf:owner\/name/],
  ['hf:owner/tiny/../secret', /expected hf:owner\/name/],
  ['hf:owner/tiny/*/a.jsonl', /expected hf:owner\/name/],
])('%s is refused for good', async (path, message) => {
  const error = await refused(path);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toMatch(message);
});

test('an entry that points out of the cache folder is not followed', async () => {
  const entries = [{ type: 'file', path: 'data/../../../x.jsonl', size: 1, oid: '' }];
  hub.faults.set(/tree/, response =>
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(entries)),
  );
  expect((await refused('hf:owner/tiny/data')).message).toMatch(/there is none/);
});

test('an error of the Hub is worth another try, an abort none', async () => {
  hub.faults.set(/./, response => response.writeHead(503).end());
  expect(await refused('hf:owner/tiny/data')).not.toBeInstanceOf(DataError);
  hub.faults.clear();
  const abort = new AbortController();
  hub.faults.set(/b\.jsonl$/, () => abort.abort());
  expect((await refused('hf:owner/tiny/data', { signal: abort.signal })).name).toBe('AbortError');
});

test('a malformed record is named by the commit and the path', async () => {
  hub.files.set('bad.jsonl', Buffer.from(`${LINE('a')}{"id": "b"}\n`));
  expect((await refused('hf:owner/tiny/bad.jsonl')).message).toMatch(
    `hf:owner/tiny@${COMMIT}/bad.jsonl: line 2: field question`,
  );
});

test('a file named as the data set is a local one', async () => {
  await writeFile(join(cacheDir, 'mine.jsonl'), LINE('mine'));
  expect((await read(join(cacheDir, 'mine.jsonl'))).ids).toEqual(['mine']);
  expect(hub.requests).toEqual([]);
});
