import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listPresets, loadSpec, parseSettings, readPreset } from '../../../infra/specs/spec-files';

const SPEC = `
model: models/base
data: [{ type: jsonl, path: train.jsonl }, { type: jsonl, path: /elsewhere/more.jsonl }]
warmup: { data: [{ type: jsonl, path: ../traces.jsonl }], optimizer: { learningRate: 1e-3 } }
rl: { optimizer: { learningRate: 1.0e-4 }, sampling: { maxNewTokens: 8 } }
phases: [{ maxTokens: 64, steps: 2 }, { maxTokens: 128, steps: 3 }]
reward: { judge: { url: https://host/v1, model: m, promptFile: judge.txt }, custom: { module: reward.mjs } }
evaluation: { sets: [{ name: held-out, source: { type: jsonl, path: test.jsonl } }] }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-spec-'));
  await mkdir(join(folder, 'specs'));
  await writeFile(join(folder, 'specs', 'mine.yaml'), SPEC);
  await writeFile(join(folder, 'specs', 'broken.yaml'), 'model: [1,');
});
afterAll(() => rm(folder, { recursive: true }));

test('paths in a spec file are taken from its own folder, and the run is named after it', async () => {
  const { spec, name } = await loadSpec('specs/mine.yaml', [], folder);
  expect(name).toBe('mine');
  expect(spec.model).toBe(join(folder, 'specs/models/base'));
  expect(spec.data).toMatchObject([{ path: join(folder, 'specs/train.jsonl') }, { path: '/elsewhere/more.jsonl' }]);
  expect(spec.warmup?.data).toMatchObject([{ path: join(folder, 'traces.jsonl') }]);
  expect(spec.evaluation.sets[0]?.source).toMatchObject({ path: join(folder, 'specs/test.jsonl') });
  expect(spec.reward.judge?.promptFile).toBe(join(folder, 'specs/judge.txt'));
  expect(spec.reward.custom?.module).toBe(join(folder, 'specs/reward.mjs'));
});

test('settings are laid over the file, their own paths taken from where the person stands', async () => {
  const settings = ['phases[1].steps=7', 'rl.optimizer.learningRate=1e-5', 'data.0.path=mine.jsonl', 'model=hf:a/b'];
  const { spec } = await loadSpec('specs/mine.yaml', settings, folder);
  expect(spec.phases.map(phase => phase.steps)).toEqual([2, 7]);
  expect(spec.rl.optimizer.learningRate).toBe(1e-5);
  expect(spec.data[0]).toMatchObject({ path: join(folder, 'mine.jsonl') });
  expect(spec.model).toBe('hf:a/b');
});

test('so are the paths of documents that are added', async () => {
  const from = 'data.0.distractors={upTo: 64, from: {type: jsonl, path: more.jsonl}}';
  const { spec } = await loadSpec('specs/mine.yaml', [from], folder);
  expect(spec.data[0]).toMatchObject({ distractors: { from: { path: join(folder, 'more.jsonl') } } });
});

test('values of settings are YAML: numbers, null, lists, texts with "="', () => {
  expect(parseSettings(['a=1', 'b=null', 'c=[1, two]', 'd=x=y', 'e.f=true', 'g='], '/')).toEqual({
    a: 1,
    b: null,
    c: [1, 'two'],
    d: 'x=y',
    'e.f': true,
    g: null,
  });
});

test.each([
  ['steps', '--set steps: expected path=value'],
  ['=3', '--set =3: expected path=value'],
  ['a={', '--set a={: the value is no YAML'],
])('the setting %s is refused', (setting, message) => {
  expect(() => parseSettings([setting], '/')).toThrow(message);
});

test('what is not there or cannot be read is named, with what there is', async () => {
  const [preset] = await listPresets();
  await expect(loadSpec('tinny', [], folder)).rejects.toThrow(`There is no preset "tinny". Presets: `);
  await expect(loadSpec('tinny', [], folder)).rejects.toThrow(preset!);
  await expect(loadSpec('none.yaml', [], folder)).rejects.toThrow(
    `${join(folder, 'none.yaml')}: there is no such file`,
  );
  await expect(loadSpec('specs/broken.yaml', [], folder)).rejects.toThrow('expected YAML or JSON');
  await expect(loadSpec('specs/mine.yaml', ['phases.0.steps=-1'], folder)).rejects.toThrow('phases[0].steps');
});

test('every preset is a valid spec', async () => {
  for (const name of await listPresets()) {
    await expect(loadSpec(name, [], folder)).resolves.toMatchObject({ name });
    await expect(readPreset(name)).resolves.toBeInstanceOf(Object);
  }
});
