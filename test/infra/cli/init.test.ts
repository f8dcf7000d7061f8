import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunSpec } from '../../../activities/spec/run-spec.js';
import { main } from '../../../infra/cli/main.js';
import { loadSpec } from '../../../infra/specs/spec-files.js';
import { townSamples } from '../../support/samples.js';

const FIXTURES = join(__dirname, '../../fixtures');
const MODEL = join(FIXTURES, 'golden/qwen2');
const DATA = join(FIXTURES, 'datasets');

let folder: string;
let out: string;
let errors: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-init-'));
  [out, errors] = ['', ''];
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    out += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    errors += String(text);
    return true;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

const mine = () => join(folder, 'my.yaml');
const init = (...args: string[]) => main(['node', 'longhaul', 'init', '--output', mine(), ...args]);
const inspect = () => main(['node', 'longhaul', 'data', 'inspect', mine(), '--json']);
const written = async (): Promise<RunSpec> => (await loadSpec(mine(), [], folder)).spec;

async function towns(count: number, change: (sample: object, k: number) => object = s => s): Promise<string> {
  const file = join(folder, 'towns.jsonl');
  await writeFile(
    file,
    townSamples(count)
      .map((s, k) => `${JSON.stringify(change(s, k))}\n`)
      .join(''),
  );
  return file;
}

test('questions of one’s own: phases by length, a warm-up on the traces, a tenth held out; a run would begin', async () => {
  expect([await init('--model', MODEL, '--data', await towns(60)), errors]).toEqual([0, '']);
  expect(out).toContain('data    jsonl, 60 questions');
  const { model, prompt, lora, data, warmup, phases, evaluation } = await written();
  expect({ model, chat: prompt.chat, lora }).toEqual({ model: MODEL, chat: true, lora: null });
  expect(data).toMatchObject([{ type: 'jsonl', path: join(folder, 'towns.jsonl'), from: 6 }]);
  expect(warmup).toMatchObject({ epochs: 3, maxTokens: phases[0]!.maxTokens });
  expect(evaluation.sets).toMatchObject([{ name: 'held-out', source: { from: 0, to: 6 } }]);
  const longest = phases.at(-1)!;
  expect(longest.maxTokens + longest.rl.sampling.maxNewTokens).toBeLessThanOrEqual(1024);
  out = '';
  expect([await inspect(), errors]).toEqual([0, '']);
  const { issues, train, phases: bands, sets } = JSON.parse(out);
  expect({ issues, beyond: train.beyondLastPhase, held: sets[0].samples }).toEqual({ issues: [], beyond: 0, held: 6 });
  for (const { own } of bands) expect(own).toBeGreaterThan(0);
});

test('what is written says where it is from, and how editors check it', async () => {
  await init('--model', MODEL, '--data', await towns(20));
  const text = await readFile(mine(), 'utf8');
  expect(text).toMatch(/^# yaml-language-server: \$schema=.*spec\.schema\.json\n/);
  expect(text).toContain('# qwen2, 0.03 million weights, a context of 1024 tokens, with a chat template.');
  expect(text).toContain('18 of 18 questions have a reasoning trace');
  expect(text).not.toMatch(/undefined|NaN| {2}#|\[object/);
});

test.each([
  ['hotpotqa', 'hotpotqa.json'],
  ['hotpotqa', 'hotpotqa-hub.parquet'],
  ['musique', 'musique.jsonl'],
  ['docqa-rl', 'docqa-rl.parquet'],
  ['docmath', 'docmath.json'],
  ['frames', 'frames.jsonl'],
  ['narrativeqa', 'narrativeqa-hub.jsonl'],
  ['qasper', 'qasper.json'],
  ['longbench', 'longbench.jsonl'],
])('data of the kind %s (%s) is recognised, and its spec valid', async (kind, file) => {
  expect([await init('--model', MODEL, '--data', join(DATA, file)), errors]).toEqual([0, '']);
  const { data, phases } = await written();
  expect(data).toMatchObject([{ type: kind, path: join(DATA, file) }]);
  expect(phases.length).toBeGreaterThan(0);
});

test('data without traces has no warm-up, malformed records are skipped and counted', async () => {
  const file = await towns(20, (sample, k) => (k === 3 ? { question: 7 } : { ...sample, trace: null }));
  expect(await init('--model', MODEL, '--data', file)).toBe(0);
  expect(out).toContain('19 questions (malformed records skipped: 1)');
  expect(out).toMatch(/the first malformed: .*towns\.jsonl: line 4: field question: /);
  const { warmup, data } = await written();
  expect(warmup).toBeNull();
  expect(data).toMatchObject([{ onMalformed: 'skip' }]);
});

test('few questions: what is not held out is said', async () => {
  expect(await init('--model', MODEL, '--data', await towns(1))).toBe(0);
  expect(out).toContain('jsonl, 1 question:');
  expect(out).toContain('warning nothing is held out');
});

test('a question that is held out and trained on is said, and allowed by name', async () => {
  const file = await towns(20, (sample, k) => (k === 12 ? { ...townSamples(1)[0], id: 'again' } : sample));
  expect(await init('--model', MODEL, '--data', file)).toBe(0);
  expect((await written()).evaluation.sets[0]!.allowOverlap).toEqual(['questions', 'documents']);
  expect(await readFile(mine(), 'utf8')).toContain('1 of them share questions and documents with what is trained on');
});

test('questions over more paragraphs than the context holds are asked over a few of them', async () => {
  const [record] = JSON.parse(await readFile(join(DATA, 'hotpotqa.json'), 'utf8'));
  const filler = Array.from({ length: 6 }, (_, k) => [`Filler ${k}`, [`${'It rains in the valley. '.repeat(30)}${k}`]]);
  const long = Array.from({ length: 10 }, (_, k) => ({
    ...record,
    _id: `q${k}`,
    context: [...record.context, ...filler],
  }));
  const file = join(folder, 'long.json');
  await writeFile(file, JSON.stringify(long));
  expect([await init('--model', MODEL, '--data', file), errors]).toEqual([0, '']);
  expect((await written()).data).toMatchObject([{ paragraphs: [2, 4] }]);
  expect(out).toContain('each is asked 2 times, over 2 and 4 of them');
});

describe('what cannot be is said, and nothing is written', () => {
  const refused = async (...args: string[]): Promise<string> => {
    expect(await init(...args)).toBe(1);
    expect(out).toBe('');
    await expect(readFile(mine())).rejects.toThrow('ENOENT');
    return errors;
  };

  test.each([
    ['nothing given', [], '--model and --data are missing.'],
    ['no data', ['--model', MODEL], '--data is missing.'],
    ['no such model', ['--model', '/nowhere', '--data', DATA], '/nowhere holds no config.json'],
    ['no such data', ['--model', MODEL, '--data', '/nowhere.json'], '/nowhere.json: expected a data file'],
    [
      'data that no kind reads',
      ['--model', MODEL, '--data', join(DATA, 'make_parquet.py')],
      'expected data of one of the kinds',
    ],
  ])('%s', async (_, args, message) => {
    const said = await refused(...args);
    expect(said).toContain(message);
    expect(said).not.toContain('    at ');
  });

  test.each([
    ['query', 'field question: expected a text, found nothing (there is "query": call it "question")'],
    ['Question', 'there is "Question": call it "question"'],
  ])('a slip in JSON lines, %s for question, is said of them alone', async (name, message) => {
    const file = await towns(12, sample => {
      const { question, ...rest } = sample as { question: string };
      return { [name]: question, ...rest };
    });
    const said = await refused('--model', MODEL, '--data', file);
    expect(said).toContain(message);
    expect(said).not.toMatch(/Invalid input|qasper|frames/);
  });

  test('an empty file', async () => {
    expect(await refused('--model', MODEL, '--data', await towns(0))).toContain('there are no records');
  });

  test('prompts that are all too long', async () => {
    const file = await towns(3, sample => ({
      ...sample,
      documents: ['so it goes on and on '.repeat(2000)],
      evidence: null,
    }));
    expect(await refused('--model', MODEL, '--data', file)).toMatch(
      /of 1024 less \d+ for the response; all 3 are longer/,
    );
  });

  test('a file that is there stays as it is, unless --force', async () => {
    await writeFile(mine(), 'mine');
    const data = await towns(3);
    expect(await init('--model', MODEL, '--data', data)).toBe(1);
    expect(errors).toContain('is there already: give another name with --output, or --force');
    expect(await readFile(mine(), 'utf8')).toBe('mine');
    expect(await init('--model', MODEL, '--data', data, '--force')).toBe(0);
    expect(await readFile(mine(), 'utf8')).toContain('model:');
  });
});
