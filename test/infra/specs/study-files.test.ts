import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../../../infra/checkout.js';
import { loadStudy } from '../../../infra/specs/study-files.js';

const STUDIES = join(CHECKOUT, 'infra/studies');
const FILES = readdirSync(STUDIES).filter(name => name.endsWith('.yaml'));

test.each(FILES)('%s is a study as it stands', async file => {
  const { name, valid } = await loadStudy(join('infra/studies', file), { settings: [] }, CHECKOUT);
  expect(`${name}.yaml`).toBe(file);
  expect(valid.study.hypotheses.length).toBeGreaterThan(0);
});

test('the claims of the paper are made of five seeds, and phases are compared with as many steps at once', async () => {
  const { valid } = await loadStudy('infra/studies/tiny-claims.yaml', { settings: [] }, CHECKOUT);
  expect(valid.study.seeds).toHaveLength(5);
  const steps = valid.variants.map(({ name, spec }) => [
    name,
    spec.phases.reduce((sum, phase) => sum + phase.steps, 0),
  ]);
  expect(new Set(steps.map(([, count]) => count))).toEqual(new Set([130]));
  expect(valid.variants.find(({ name }) => name === 'one-stage')!.spec.phases).toHaveLength(1);
});

describe('a file of its own', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-study-'));
    await mkdir(join(folder, 'specs'));
    const spec = 'model: base\ndata: [{ type: jsonl, path: train.jsonl }]\nphases: [{ maxTokens: 64, steps: 1 }]\n';
    await writeFile(join(folder, 'specs/my.yaml'), spec);
    const variants = 'variants: [{ name: one }, { name: two, set: { data.0.path: other.jsonl } }]';
    await writeFile(join(folder, 'study.yaml'), `base: specs/my.yaml\n${variants}\nseeds: [1]\n`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('has its paths from where each stands', async () => {
    const { name, valid } = await loadStudy('study.yaml', { settings: [] }, folder);
    expect(name).toBe('study');
    const paths = valid.variants.map(({ spec }) => [spec.model, (spec.data[0] as { path: string }).path]);
    expect(paths).toEqual([
      [join(folder, 'specs/base'), join(folder, 'specs/train.jsonl')],
      [join(folder, 'specs/base'), join(folder, 'other.jsonl')],
    ]);
  });

  test('--set is laid over the base, for all variants', async () => {
    const { valid, input } = await loadStudy('study.yaml', { name: 'other', settings: ['phases.0.steps=7'] }, folder);
    expect(valid.variants.map(({ spec }) => spec.phases[0]!.steps)).toEqual([7, 7]);
    expect(input.set).toEqual({ 'phases.0.steps': 7 });
  });

  test.each([
    ['a file that is not there', 'none.yaml', {}, 'there is no such file'],
    ['a name that is none', 'study.yaml', { name: 'a/b' }, '--name a/b: expected letters'],
    [
      'a value that changes nothing',
      'study.yaml',
      { settings: ['phases.0.steps=1'] },
      'set["phases.0.steps"]: changes nothing',
    ],
  ])('%s is refused', async (_, file, options, message) => {
    await expect(loadStudy(file, { settings: [], ...options }, folder)).rejects.toThrow(message);
  });
});
