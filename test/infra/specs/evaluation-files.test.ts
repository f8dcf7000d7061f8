import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEvaluation } from '../../../infra/specs/evaluation-files.js';

const SPEC = `
benchmarks: [{ name: questions, source: { type: jsonl, path: ../data/test.jsonl } }]
tokenizer: models/tokenizer
models:
  - { run: learner }
  - { folder: models/base }
  - { label: far, remote: { url: https://api.example.com/v1, model: far-1 } }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-evaluation-'));
  await mkdir(join(folder, 'specs'));
  await writeFile(join(folder, 'specs', 'eval.yaml'), SPEC);
  await writeFile(
    join(folder, 'specs', 'one.yaml'),
    SPEC.replace(/models:\n[\s\S]*$/, 'model: { run: a }\nlabel: mine\n'),
  );
  await writeFile(join(folder, 'specs', 'both.yaml'), `${SPEC}model: { run: a }\n`);
});
afterAll(() => rm(folder, { recursive: true }));

const load = (file: string, over: { models?: string[]; settings?: string[]; name?: string } = {}) =>
  loadEvaluation(`specs/${file}`, { models: [], settings: [], ...over }, folder);

test('each of the models is an evaluation of its own; paths are taken from the file’s folder', async () => {
  const { name, evaluations } = await load('eval.yaml');
  expect(name).toBe('eval');
  expect(evaluations.map(({ label, spec: { model } }) => [label, model])).toEqual([
    ['learner', { run: 'learner' }],
    ['base', { folder: join(folder, 'specs/models/base') }],
    ['far', { remote: expect.objectContaining({ model: 'far-1', concurrency: 8 }) }],
  ]);
  for (const { spec } of evaluations) {
    expect(spec.tokenizer).toBe(join(folder, 'specs/models/tokenizer'));
    expect(spec.benchmarks[0]!.source).toMatchObject({ path: join(folder, 'data/test.jsonl') });
  }
});

test('a file may have one model, with a label', async () => {
  expect((await load('one.yaml')).evaluations).toMatchObject([{ label: 'mine', spec: { model: { run: 'a' } } }]);
  await expect(load('both.yaml')).rejects.toThrow('expected "model" or "models", found both');
});

test('models given on the command line take the place of the file’s', async () => {
  const models = ['run:other@base', 'here', 'folder:/there', 'hf:a/b', 'remote:far'];
  const { evaluations } = await load('eval.yaml', { models });
  expect(evaluations.map(({ label, spec: { model } }) => [label, model])).toEqual([
    ['other-base', { run: 'other', policy: 'base' }],
    ['here', { folder: join(folder, 'here') }],
    ['there', { folder: '/there' }],
    ['b', { folder: 'hf:a/b' }],
    ['far', expect.anything()],
  ]);
});

test('a model that the file has not, or two of one name, are refused', async () => {
  await expect(load('eval.yaml', { models: ['remote:near'] })).rejects.toThrow('which has far');
  await expect(load('eval.yaml', { models: ['a/same', 'b/same'] })).rejects.toThrow('Two models are called "same"');
});

test('settings are laid over every model’s spec, and a name over the file’s', async () => {
  const { name, evaluations } = await load('eval.yaml', {
    settings: ['benchmarks.0.limit=3', 'seed=5'],
    name: 'trial',
  });
  expect(name).toBe('trial');
  expect(evaluations.map(({ spec }) => [spec.seed, spec.benchmarks[0]!.limit])).toEqual([
    [5, 3],
    [5, 3],
    [5, 3],
  ]);
  await expect(load('eval.yaml', { name: 'a/b' })).rejects.toThrow('--name a/b');
  await expect(load('eval.yaml', { settings: ['samples=0'] })).rejects.toThrow('samples:');
});
