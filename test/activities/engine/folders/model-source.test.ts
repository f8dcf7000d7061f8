import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readModelFolder } from '../../../../activities/engine/folders/model-folder.js';
import { resolveModel } from '../../../../activities/engine/folders/model-source.js';
import { EngineRequestError } from '../../../../activities/engine/protocol/index.js';
import { COMMIT, FakeHub, listed } from '../../../support/fake-hub.js';

const GOLDEN = join(__dirname, '../../../fixtures/golden');
let hub: FakeHub;
let environment: NodeJS.ProcessEnv;
let cacheDir: string;
beforeEach(async () => {
  hub = new FakeHub();
  environment = { HF_ENDPOINT: `${await hub.start()}/` };
  cacheDir = await mkdtemp(join(tmpdir(), 'longhaul-hub-'));
});
afterEach(async () => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

async function serve(family: string): Promise<void> {
  for (const name of await readdir(join(GOLDEN, family)))
    hub.files.set(name, await readFile(join(GOLDEN, family, name)));
  hub.files.set('README.md', Buffer.from('not needed'));
  hub.files.set('pytorch_model.bin', Buffer.from('not needed'));
}
const downloads = () =>
  new Set(hub.requests.filter(path => path.includes('/resolve/')).map(path => path.split('/').at(-1)));

test('a sharded model is fetched, only what is needed of it, and loads', async () => {
  await serve('llama');
  const { directory, source } = await resolveModel('hf:owner/tiny', { cacheDir, environment });
  expect(source).toBe(`hf:owner/tiny@${COMMIT}`);
  const needed = await readdir(join(GOLDEN, 'llama'));
  expect((await readdir(directory)).sort()).toEqual(needed.sort());
  expect(downloads()).toEqual(new Set(needed));
  const [fetched, original] = [await readModelFolder(directory), await readModelFolder(join(GOLDEN, 'llama'))];
  expect(fetched.tensors).toEqual(original.tensors);
});

test('a revision is looked up each time, its files fetched once', async () => {
  await serve('qwen2');
  const first = await resolveModel('hf:owner/tiny@v1', { cacheDir, environment });
  hub.requests = [];
  expect(await resolveModel('hf:owner/tiny', { cacheDir, environment })).toEqual(first);
  expect(hub.requests).toEqual(['/api/models/owner/tiny/revision/main']);
});

test('a commit that is here needs no Hub', async () => {
  await serve('qwen2');
  const first = await resolveModel('hf:owner/tiny', { cacheDir, environment });
  hub.requests = [];
  expect(await resolveModel(first.source, { cacheDir, environment })).toEqual(first);
  expect(hub.requests).toEqual([]);
});

test('the token goes along, and progress is told', async () => {
  await serve('qwen2');
  const progress = new Map<string, [number, number]>();
  const onProgress = (file: string, done: number, total: number) => progress.set(file, [done, total]);
  await resolveModel('hf:owner/tiny', { cacheDir, environment: { ...environment, HF_TOKEN: 'hf_secret' }, onProgress });
  expect(hub.tokens).toEqual(new Set(['Bearer hf_secret']));
  const size = hub.files.get('model.safetensors')!.length;
  expect(progress.get('model.safetensors')).toEqual([size, size]);
});

test('after an interruption the files that had arrived are not fetched again', async () => {
  await serve('qwen2');
  hub.faults.set(/model\.safetensors$/, response => response.destroy());
  await expect(resolveModel('hf:owner/tiny', { cacheDir, environment })).rejects.toThrow(/cannot be fetched/);
  expect(await readdir(join(cacheDir, 'owner--tiny'))).toEqual([`${COMMIT}.partial`]);
  hub.faults.clear();
  hub.requests = [];
  const { directory } = await resolveModel('hf:owner/tiny', { cacheDir, environment });
  expect(downloads()).toEqual(new Set(['model.safetensors']));
  expect((await stat(join(directory, 'model.safetensors'))).size).toBe(hub.files.get('model.safetensors')!.length);
  expect(await readdir(join(cacheDir, 'owner--tiny'))).toEqual([COMMIT]);
});

test('a connection lost in the middle of a file', async () => {
  await serve('qwen2');
  const content = hub.files.get('model.safetensors')!;
  hub.faults.set(/model\.safetensors$/, response => {
    if (response.req.headers.range) {
      response
        .writeHead(206, { ETag: '"etag"', 'Content-Range': `bytes 0-0/${content.length}` })
        .end(content.subarray(0, 1));
    } else {
      response.writeHead(200, { 'Content-Length': content.length });
      response.write(content.subarray(0, 5000), () => response.destroy());
    }
  });
  await expect(resolveModel('hf:owner/tiny', { cacheDir, environment })).rejects.toThrow(/cannot be fetched/);
  const arrived = await readdir(join(cacheDir, 'owner--tiny', `${COMMIT}.partial`));
  expect(arrived).toContain('config.json');
  expect(arrived.filter(name => name.startsWith('model.safetensors'))).toEqual([]);
});

test.each([
  [
    'a commit',
    /\/revision\//,
    { _id: '1', id: 'owner/tiny', sha: '../../elsewhere' },
    /'\.\.\/\.\.\/elsewhere' as commit/,
  ],
  ['a file', /\/tree\//, [{ type: 'file', path: '../config.json', size: 1, oid: '' }], /holds neither/],
])('%s that points out of the cache folder is not followed', async (_, path, answer, message) => {
  hub.faults.set(path, response => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  });
  await expect(resolveModel('hf:owner/tiny', { cacheDir, environment })).rejects.toThrow(message);
});

describe('content that is not what the Hub listed is refused and not kept', () => {
  const wrong: [string, (genuine: Buffer) => Buffer, RegExp][] = [
    ['a wrong byte', genuine => Buffer.from(genuine).fill(1, 90, 91), /came as (\d+) bytes with .* expected \1 bytes/],
    ['a byte too few', genuine => genuine.subarray(1), /came as \d+ bytes with .* expected \d+ bytes/],
    ['half of it', genuine => genuine.subarray(0, genuine.length / 2), /came as \d+ bytes with .* expected \d+ bytes/],
    ['nothing', () => Buffer.alloc(0), /came as 0 bytes with .* expected \d+ bytes/],
    [
      'a byte too many',
      genuine => Buffer.concat([genuine, Buffer.of(0)]),
      /came as more than (\d+) bytes; expected \1 /,
    ],
  ];
  const files = [
    ['model.safetensors', 'SHA-256 [0-9a-f]{64}'],
    ['config.json', 'git hash [0-9a-f]{40}'],
    ['tokenizer.json', 'git hash [0-9a-f]{40}'],
  ] as const;
  test.each(
    files.flatMap(([file, hash]) => wrong.map(([what, change, message]) => ({ what, file, hash, change, message }))),
  )('$what in $file', async ({ file, hash, change, message }) => {
    await serve('qwen2');
    hub.sent.set(file, change(hub.files.get(file)!));
    const failure: Error = await resolveModel('hf:owner/tiny', { cacheDir, environment }).catch(error => error);
    expect(failure).not.toBeInstanceOf(EngineRequestError);
    expect(failure.message).toMatch(new RegExp(`${file} ${message.source}`));
    expect(failure.message).toMatch(new RegExp(`expected \\d+ bytes with ${hash}, as the Hub lists it: try again`));
    const kept = await readdir(join(cacheDir, 'owner--tiny'), { recursive: true });
    expect(kept.filter(name => name.includes(file))).toEqual([]);
    hub.sent.clear();
    const { directory } = await resolveModel('hf:owner/tiny', { cacheDir, environment });
    expect(await readFile(join(directory, file))).toEqual(hub.files.get(file));
  });

  test('nor is a file without a hash', async () => {
    await serve('qwen2');
    const tree = [...hub.files].map(listed).map(entry => ({ ...entry, oid: '' }));
    hub.faults.set(/\/tree\//, response =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(tree)),
    );
    await expect(resolveModel('hf:owner/tiny', { cacheDir, environment })).rejects.toThrow(
      /the Hub gave '' as the hash of config\.json; expected 40 hexadecimal digits/,
    );
  });
});

describe('the token', () => {
  const HF_TOKEN = 'hf_0123456789/abc+def';
  const message = async (token = HF_TOKEN): Promise<string> => {
    const error = await resolveModel('hf:owner/tiny', {
      cacheDir,
      environment: { ...environment, HF_TOKEN: token },
    }).then(
      () => new Error('none'),
      (found: Error) => found,
    );
    return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
  };

  test.each([401, 404, 500])('is in no message, though the Hub sends it back with %i', async status => {
    hub.faults.set(/./, response =>
      response
        .writeHead(status, { 'Content-Type': 'application/json', 'X-Request-Id': response.req.headers.authorization! })
        .end(JSON.stringify({ error: `no ${response.req.headers.authorization}` })),
    );
    const said = await message();
    expect(said).toContain('no Bearer [key]');
    expect(said).not.toContain('0123456789');
  });

  test('with a line end behind it is sent without', async () => {
    await serve('qwen2');
    await message(`${HF_TOKEN}\n`);
    expect(hub.tokens).toEqual(new Set([`Bearer ${HF_TOKEN}`]));
  });
});

test('a model without safetensors', async () => {
  hub.files.set('config.json', Buffer.from('{}'));
  hub.files.set('pytorch_model.bin', Buffer.from('pickled'));
  await expect(resolveModel('hf:owner/tiny', { cacheDir, environment })).rejects.toThrow(
    /hf:owner\/tiny@c0ffee0+ holds neither model\.safetensors nor model\.safetensors\.index\.json/,
  );
});

test.each([
  [404, /model 'hf:owner\/nothing': the Hub has no such model or revision: check the spelling/],
  [401, /set HF_TOKEN to a token with access/],
  [403, /accept the terms on the model page/],
])('an answer of %i is for good, and says what to do', async (status, message) => {
  hub.faults.set(/nothing/, response => response.writeHead(status).end());
  const failure = await resolveModel('hf:owner/nothing', { cacheDir, environment }).catch(error => error);
  expect(failure).toBeInstanceOf(EngineRequestError);
  expect(failure.message).toMatch(message);
});

test('an error of the Hub is worth another try', async () => {
  hub.faults.set(/./, response => response.writeHead(503).end());
  const failure = await resolveModel('hf:owner/tiny', { cacheDir, environment }).catch(error => error);
  expect(failure).not.toBeInstanceOf(EngineRequestError);
  expect(failure.message).toMatch(/try again later/);
});

describe('without a Hub', () => {
  const offline = { HF_ENDPOINT: 'http://127.0.0.1:9' };

  test('nothing cached: the address, the reason, and what to do', async () => {
    await expect(resolveModel('hf:owner/tiny', { cacheDir, environment: offline })).rejects.toThrow(
      /model 'hf:owner\/tiny': cannot be fetched from http:\/\/127\.0\.0\.1:9: fetch failed \(.+\); check the connection, set HF_ENDPOINT/,
    );
  });

  test('a commit that is here is named', async () => {
    await serve('qwen2');
    await resolveModel('hf:owner/tiny', { cacheDir, environment });
    await expect(resolveModel('hf:owner/tiny', { cacheDir, environment: offline })).rejects.toThrow(
      `usable without the Hub: hf:owner/tiny@${COMMIT}`,
    );
  });
});

test('an abort ends the download', async () => {
  await serve('qwen2');
  const abort = new AbortController();
  hub.faults.set(/model\.safetensors$/, () => abort.abort());
  await expect(resolveModel('hf:owner/tiny', { cacheDir, environment, signal: abort.signal })).rejects.toThrow(
    /abort/i,
  );
});

describe('a folder', () => {
  test('by its path', async () => {
    const directory = resolve(GOLDEN, 'qwen2');
    expect(await resolveModel(join(GOLDEN, 'qwen2'), { cacheDir })).toEqual({ directory, source: directory });
  });

  test.each([
    ['no/such/folder', /model 'no\/such\/folder': .* holds no config\.json/],
    ['hf:owner', /model 'hf:owner': expected hf:owner\/name/],
    ['hf:owner/name@../..', /cannot|no such|expected/],
  ])('%s is refused', async (model, message) => {
    await expect(resolveModel(model, { cacheDir, environment })).rejects.toThrow(message);
  });
});
