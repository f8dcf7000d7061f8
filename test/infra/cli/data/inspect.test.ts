import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Inspected } from '../../../../infra/cli/data/inspected.js';
import { main } from '../../../../infra/cli/main.js';
import { townSamples } from '../../../support/samples.js';

const MODEL = join(__dirname, '../../../fixtures/golden/qwen2');

let folder: string;
let out: string;
let errors: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-inspect-'));
  [out, errors] = ['', ''];
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    out += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    errors += String(text);
    return true;
  });
  const lines = (samples: object[]) => samples.map(sample => `${JSON.stringify(sample)}\n`).join('');
  const towns = townSamples(30);
  await writeFile(join(folder, 'train.jsonl'), lines(towns.slice(0, 20)));
  await writeFile(join(folder, 'test.jsonl'), lines(towns.slice(20)));
  const spec = {
    model: MODEL,
    prompt: { template: '{document}\n{question}', chat: false },
    data: [{ type: 'jsonl', path: 'train.jsonl' }],
    rl: { promptsPerStep: 4, optimizer: { learningRate: 1e-4 }, sampling: { maxNewTokens: 8 } },
    phases: [
      { maxTokens: 190, steps: 2 },
      { maxTokens: 400, steps: 2 },
    ],
    evaluation: { sets: [{ name: 'held-out', source: { type: 'jsonl', path: 'test.jsonl' } }] },
  };
  await writeFile(join(folder, 'mine.json'), JSON.stringify(spec));
});
afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

const inspect = (...args: string[]) =>
  main(['node', 'longhaul', 'data', 'inspect', join(folder, 'mine.json'), ...args]);

test('as JSON: what the run would record, and nothing is written', async () => {
  const before = await readdir(folder);
  expect([await inspect('--json', '--example'), errors]).toEqual([0, '']);
  const { sources, train, phases, sets, overlaps, issues, examples } = JSON.parse(out) as Inspected;
  expect(sources.map(({ at, samples, used }) => [at, samples, used])).toEqual([
    ['data[0]', 20, 20],
    ['evaluation.sets[0].source', 10, 10],
  ]);
  expect(phases.map(({ own }) => own).reduce((a, b) => a + b)).toBe(train.samples - train.beyondLastPhase);
  expect(train.tokens!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  expect(sets).toMatchObject([{ name: 'held-out', samples: 10, cut: 0 }]);
  expect([overlaps, issues]).toEqual([[], []]);
  for (const { tokens, prompt, phase } of examples!) {
    expect(tokens).toBeGreaterThan(phases.find(({ name }) => name === phase)!.band.above);
    expect(prompt).toContain('In which town was painter number');
  }
  expect(await readdir(folder)).toEqual(before);
});

test('as text: sources, histogram, phases, sets, contamination, an example', async () => {
  expect(await inspect('--example')).toBe(0);
  for (const title of [
    'Sources',
    'Training prompts: 20, in tokens',
    'Phases',
    'Evaluation sets',
    'Contamination',
    'Example of phase-',
  ]) {
    expect(out).toContain(`\n${title}`);
  }
  expect(out).toMatch(/#{40}/);
  expect(out).toContain('none: nothing that is trained on is in an evaluation set');
});

test('what the run would be refused for ends in exit code 1, after what was found', async () => {
  expect(await inspect('--set', `evaluation.sets.0.source.path=${join(folder, 'train.jsonl')}`)).toBe(1);
  expect(out).toContain('questions of 20 of 20 samples');
  expect(out).toContain('NOT allowed');
  expect(errors).toContain('allowOverlap: [questions]');
  expect(errors).not.toContain('    at ');
});

test('mistakes in spec and data are said without a stack', async () => {
  expect(await inspect('--set', 'phases.0.steps=0')).toBe(1);
  expect(errors).toContain('phases[0].steps');
  errors = '';
  await writeFile(join(folder, 'train.jsonl'), '{"question": 1}\n');
  expect(await inspect()).toBe(1);
  expect(errors).toMatch(/train\.jsonl: .*line 1/);
  expect(errors).not.toContain('    at ');
});

test('data that is not there is said with its place in the spec', async () => {
  expect(await inspect('--set', 'data.0.path=/nowhere.jsonl')).toBe(1);
  expect(errors).toContain('data[0].path: /nowhere.jsonl: expected a data file');
});

test('numbers read as texts and fields passed over are told', async () => {
  const lines = townSamples(20).map(
    (sample, k) => `${JSON.stringify({ ...sample, id: k, level: null, tarce: 'x' })}\n`,
  );
  await writeFile(join(folder, 'train.jsonl'), lines.join(''));
  expect([await inspect(), errors]).toEqual([0, '']);
  expect(out).toContain('  data[0]: numbers and truth values read as texts: "id" in 20 records\n');
  expect(out).toContain('  data[0]: fields passed over: "tarce" in 20 records\n');
});

test('lengthened sources say what was made of them', async () => {
  const distractors = `data.0.distractors={upTo: 400, from: {type: jsonl, path: ${join(folder, 'train.jsonl')}}}`;
  expect(await inspect('--set', distractors, '--set', 'phases.0.maxTokens=390')).toBe(0);
  expect(out).toMatch(/data\[0\]: \d+ distractor documents added/);
});

test('prompts by task, where steps are balanced by tasks', async () => {
  const data = [
    { type: 'jsonl', path: join(folder, 'train.jsonl') },
    { type: 'world', seed: 1, count: 3, facts: [8], taskName: 'facts' },
  ];
  expect([await inspect('--set', `data=${JSON.stringify(data)}`), errors]).toEqual([0, '']);
  expect(out).not.toContain('by task');
  out = '';
  expect(await inspect('--set', `data=${JSON.stringify(data)}`, '--set', 'rl.balanceTasks=true', '--json')).toBe(0);
  const { phases } = JSON.parse(out) as Inspected;
  const tasks = phases.map(phase => phase.tasks!);
  expect(tasks.flatMap(Object.keys)).toContain('facts');
  const all = tasks.flatMap(Object.values).reduce((sum, count) => sum + count, 0);
  expect(all).toBe(phases.reduce((sum, { own }) => sum + own, 0));
  out = '';
  await inspect('--set', `data=${JSON.stringify(data)}`, '--set', 'rl.balanceTasks=true');
  expect(out).toMatch(/phase-\d, own prompts by task: .*3 of facts/);
});
