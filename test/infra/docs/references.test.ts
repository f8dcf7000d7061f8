import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import { parse } from 'yaml';
import { CHECKOUT, PRESETS } from '../../../infra/checkout.js';
import { REFERENCES, stale } from '../../../infra/docs/references.js';
import { loadEvaluation } from '../../../infra/specs/evaluation-files.js';

const EXAMPLES = join(CHECKOUT, 'infra/examples');
const yamlIn = async (folder: string) =>
  (await readdir(folder)).filter(name => name.endsWith('.yaml')).map(name => join(folder, name));

/** By a validator that knows nothing of zod, and refuses words that are not JSON Schema's. */
async function compiled(file: string): Promise<ValidateFunction> {
  const schema = JSON.parse(await readFile(join(CHECKOUT, file), 'utf8'));
  return new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(schema);
}
const validators = new Map<string, Promise<ValidateFunction>>();
function validator(file: string): Promise<ValidateFunction> {
  const known = validators.get(file) ?? compiled(file);
  validators.set(file, known);
  return known;
}
const [ofRuns, ofEvaluations] = ['infra/presets/spec.schema.json', 'infra/examples/evaluation.schema.json'].map(
  validator,
);

test('pages and schemas say what the schemas in the code say: else run `npm run docs`', async () => {
  expect(await stale()).toEqual([]);
});

test('no field is without a type or a meaning', async () => {
  for (const { page } of REFERENCES) {
    const text = await readFile(join(CHECKOUT, page), 'utf8');
    const rows = text.split('\n').filter(line => line.startsWith('| <a id='));
    expect(rows.length).toBeGreaterThan(10);
    const bare = rows.filter(row => /any value|\| +\|$|undefined/.test(row));
    expect(bare).toEqual([]);
  }
});

test('every preset and example is accepted by the schema that its first line names', async () => {
  const files = [...(await yamlIn(PRESETS)), ...(await yamlIn(EXAMPLES)), join(CHECKOUT, 'infra/chaos/small.yaml')];
  expect(files.length).toBeGreaterThanOrEqual(4);
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    const validate = await validator(join(relative(CHECKOUT, file), '..', schema!));
    expect([file, validate(parse(text)), validate.errors]).toEqual([file, true, null]);
  }
});

const minimal = {
  model: 'm',
  data: [{ type: 'jsonl', path: 'x.jsonl' }],
  phases: [{ maxTokens: 9, steps: 1, rl: { overlong: { cache: 3 } } }],
};

test('the least spec is accepted, and one with parts of blocks in a phase', async () => {
  expect((await ofRuns!)(minimal)).toBe(true);
});

test.each([
  ['a misspelt field', { modle: 'm' }],
  ['one in a block', { rl: { groupsize: 8 } }],
  ['one in a phase’s settings', { phases: [{ maxTokens: 9, steps: 1, rl: { sampling: { top_p: 1 } } }] }],
  ['one of a data source', { data: [{ type: 'jsonl', path: 'x', paragraphs: [2] }] }],
  ['a kind of data that there is not', { data: [{ type: 'hotpot', path: 'x' }] }],
  ['a value out of bounds', { rl: { sampling: { topP: 2 } } }],
  ['nothing to train on', { data: [] }],
  ['a missing block', { model: undefined }],
])('%s is refused', async (_, change) => {
  expect((await ofRuns!)(JSON.parse(JSON.stringify({ ...minimal, ...change })))).toBe(false);
});

test('an evaluation has one model or several, each of one origin', async () => {
  const validate = await ofEvaluations!;
  const benchmarks = [{ name: 'b', source: { type: 'jsonl', path: 'x' } }];
  expect(validate({ model: { run: 'r' }, benchmarks })).toBe(true);
  expect(validate({ models: [{ run: 'r', label: 'l' }], benchmarks })).toBe(true);
  expect(validate({ model: { run: 'r', folder: 'f' }, benchmarks })).toBe(false);
  expect(validate({ model: { run: 'r' }, models: [{ run: 'r' }], benchmarks })).toBe(false);
  expect(validate({ model: { run: 'r' }, benchmarks, sample: 4 })).toBe(false);
  expect(validate({ benchmarks })).toBe(false);
});

test('the example evaluation is a valid one', async () => {
  const { evaluations } = await loadEvaluation(join(EXAMPLES, 'evaluation.yaml'), { settings: [], models: [] }, '/');
  expect(evaluations.map(({ label }) => label)).toEqual(['my-run', 'Qwen2.5-0.5B-Instruct', 'o3-mini']);
});
