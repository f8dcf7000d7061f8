/**
 * Every YAML block of the README and docs/ is taken by the schema. The word after `yaml` says what it is: a `spec` of a run,
 * an `evaluation` spec, a `study`, or a `fragment`, some fields of a run's spec.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { validateSpec } from '../../activities/spec/index';
import { loadEvaluation } from '../../infra/specs/evaluation-files';
import { loadSpec } from '../../infra/specs/spec-files';
import { loadStudy } from '../../infra/specs/study-files';
import { GENERATED, pages } from '../support/pages';

/** What fragments are laid into. */
const BASE = {
  model: 'models/base',
  data: [{ type: 'jsonl', path: 'train.jsonl' }],
  rl: { optimizer: { learningRate: 1e-5 }, sampling: { maxNewTokens: 64 } },
  phases: [{ maxTokens: 512, steps: 1 }],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-docs-'));
});
afterAll(() => rm(folder, { recursive: true }));

const KINDS: Record<string, (text: string) => Promise<unknown>> = {
  async spec(text) {
    await writeFile(join(folder, 'spec.yaml'), text);
    return loadSpec('./spec.yaml', [], folder);
  },
  async evaluation(text) {
    await writeFile(join(folder, 'eval.yaml'), text);
    return loadEvaluation('eval.yaml', { settings: [], models: [] }, folder);
  },
  async study(text) {
    await writeFile(join(folder, 'study.yaml'), text);
    return loadStudy('study.yaml', { settings: [] }, folder);
  },
  fragment: async text => validateSpec({ ...BASE, ...(parse(text) as object) }),
};

const BLOCKS = pages().flatMap(({ file, blocks }) =>
  blocks.filter(({ language }) => /^ya?ml$/.test(language)).map(block => ({ ...block, at: `${file}:${block.line}` })),
);

test('there are specs, evaluations and fragments, and each block says which it is', () => {
  expect(BLOCKS.filter(({ kind }) => !(kind in KINDS)).map(({ at }) => at)).toEqual([]);
  expect(new Set(BLOCKS.map(({ kind }) => kind))).toEqual(new Set(Object.keys(KINDS)));
});

test.each(BLOCKS)('$at ($kind)', async ({ kind, text }) => {
  await KINDS[kind]!(text);
});

/** A spec in which everything that may be absent is there. */
const WHOLE = validateSpec({
  ...BASE,
  lora: {},
  prompt: { numbered: true, truncate: { maxTokens: 512 } },
  warmup: { data: BASE.data, optimizer: { learningRate: 1e-5 } },
  reward: { judge: { url: 'http://localhost:8000/v1', model: 'm' }, evidence: {} },
  rl: { ...BASE.rl, kl: { coefficient: 0.01 }, overlong: { maxLength: 64, cache: 8 } },
});

/** The same of one whose engine is a training service, which has fields of its own. */
const SERVED = validateSpec({ ...BASE, engine: { kind: 'tinker' }, rl: { overlap: true, importanceCap: 2 } });

test('every field of a spec that is named in the text is there', () => {
  const field = new RegExp(`^(${Object.keys(WHOLE).join('|')})(\\.[a-z]\\w*)+$`);
  const written = pages().filter(({ file }) => !GENERATED.includes(file));
  const named = written.flatMap(({ file, codes }) =>
    codes
      .filter(({ text }) => field.test(text) && !/\.(json|safetensors)$/.test(text))
      .map(({ text, line }) => ({ text, at: `${file}:${line}` })),
  );
  expect(named.length).toBeGreaterThan(3);
  const valueAt = (path: string, spec: unknown): unknown =>
    path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], spec);
  const missing = named.filter(({ text }) => [WHOLE, SERVED].every(spec => valueAt(text, spec) === undefined));
  expect(missing).toEqual([]);
});

test('a wrong field in a block of each kind would be found', async () => {
  for (const kind of Object.keys(KINDS)) {
    const { text } = BLOCKS.find(block => block.kind === kind)!;
    await expect(KINDS[kind]!(`${text}\nnoSuchField: 1\n`)).rejects.toThrow('noSuchField');
  }
});
