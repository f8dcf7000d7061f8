import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PromptItem } from '../../../activities/artifacts/formats.js';
import { dataIssues } from '../../../activities/run/data-checks.js';
import { type RunDataSummary, summaryOf } from '../../../activities/run/data-summary.js';
import { prepareRun } from '../../../activities/run/prepare-run.js';
import { readRunData } from '../../../activities/run/run-data.js';
import { validateSpec } from '../../../activities/spec/validate-spec.js';
import { dataSummaryUri, readJson, readLines } from '../../../activities/store/index.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

async function read(change: Record<string, unknown>) {
  const spec = validateSpec({ ...small.spec, ...change });
  const model = await small.deps.models.open(spec.model);
  const data = await readRunData(small.deps, spec, model, { note: () => {}, signal: new AbortController().signal });
  return { spec, model, data, summary: summaryOf(spec, model, data), issues: dataIssues(spec, model, data) };
}

const text = (item: { promptIds: number[] }) => String.fromCharCode(...item.promptIds);

test('training prompts beyond the limit lose their middle, and the question stays', async () => {
  const samples = [10, 60, 61].map((length, k) => ({
    ...{ id: `s${k}`, question: `${k}?`, answer: 'A', trace: 'So A.' },
    documents: [Array.from({ length }, (_, at) => String.fromCharCode(0x4e00 + at)).join('')],
  }));
  await writeFile(join(small.folder, 'data.jsonl'), samples.map(s => `${JSON.stringify(s)}\n`).join(''));
  const { data, summary } = await read({
    prompt: { ...small.spec.prompt, truncate: { maxTokens: 24 } },
    evaluation: { ...small.spec.evaluation, maxInputTokens: 30 },
  });
  expect(data.train.map(({ promptIds }) => promptIds.length)).toEqual([14, 24, 24]);
  const document = samples[1]!.documents[0]!;
  expect(text(data.train[1]!)).toBe(`${document.slice(0, 10)}${document.slice(-10)}\n1?\n`);
  expect(data.warmup!.map(({ promptIds }) => promptIds.length)).toEqual([14, 24, 24]);
  // Evaluations have a limit of their own.
  expect(data.sets[0]!.items.map(({ promptIds }) => promptIds.length)).toEqual([14, 30, 30]);
  expect(summary.sources.map(({ at, cut, longestCut }) => [at, cut, longestCut])).toEqual([
    ['data[0]', 2, 65],
    ['warmup.data[0]', 2, 65],
    ['evaluation.sets[0].source', 2, 65],
  ]);
});

test('without limits no training prompt is cut; an evaluation’s is where the model’s context ends', async () => {
  const evaluation = { ...small.spec.evaluation, sampling: { maxNewTokens: 75 } };
  const { data, summary } = await read({ evaluation });
  expect(data.train.at(-1)!.promptIds).toHaveLength(59);
  expect(summary.sets).toMatchObject([{ name: 'held-out', samples: 5, maxInputTokens: 25, cut: 0 }]);
  const tight = await read({ evaluation: { ...evaluation, sampling: { maxNewTokens: 78 } } });
  expect(tight.summary.sets[0]).toMatchObject({ maxInputTokens: 22, tokens: { most: 22 } });
  expect(tight.summary.sets[0]!.cut).toBeGreaterThan(0);
});

test('what a phase trains on: its band, what it may carry, and how far its steps go', async () => {
  const { summary } = await read({});
  expect(summary.train).toMatchObject({ samples: 40, beyondLastPhase: 0 });
  expect(summary.phases).toMatchObject([
    { name: 'phase-1', band: { above: 0, upTo: 40 }, own: 21, candidates: 0, carried: 0, stepsPerEpoch: 21 / 4 },
    // 7 are a quarter of 19 + 7 rounded; 21 are known, since refills let all of them be drawn.
    { name: 'phase-2', own: 19, candidates: 21, carried: 6, stepsPerEpoch: 25 / 4, epochs: 12 / 25 },
  ]);
  expect(summary.warmup).toMatchObject({ samples: 21, steps: 3, leftOut: 19 });
  const beyond = await read({ phases: [{ maxTokens: 40, steps: 3 }] });
  expect(beyond.summary.train.beyondLastPhase).toBe(19);
});

test('equal samples have equal hashes, wherever they lie', async () => {
  const path = join(small.folder, 'copy.jsonl');
  await writeFile(path, await readFile(join(small.folder, 'data.jsonl')));
  const [here] = (await read({})).summary.sources;
  const [there] = (await read({ data: [{ type: 'jsonl', path }] })).summary.sources;
  expect(there!.sha256).toBe(here!.sha256);
  expect(there!.source).not.toBe(here!.source);
  const [fewer] = (await read({ data: [{ type: 'jsonl', path, to: 39 }] })).summary.sources;
  expect(fewer!.sha256).not.toBe(here!.sha256);
});

test('contamination names set, source, samples and what to set, unless it is allowed by name', async () => {
  const [set] = small.spec.evaluation.sets;
  const sets = [{ ...set, allowOverlap: [] }];
  const { issues, summary } = await read({ evaluation: { sets } });
  expect(issues.map(({ path }) => path)).toEqual(['evaluation.sets[0].source', 'evaluation.sets[0].source']);
  expect(issues[0]!.problem).toContain('5 of the 5 samples of evaluation.sets[0].source (');
  expect(issues[0]!.problem).toMatch(/ask a question that data\[0\] \(.*data\.jsonl\) trains on: "s0" \(there "s0"\)/);
  expect(issues[0]!.problem).toContain('evaluation.sets[0].allowOverlap: [questions]');
  expect(summary.overlaps.map(({ source, allowed }) => [source, allowed])).toEqual([
    ['data[0]', false],
    ['warmup.data[0]', false],
  ]);
  const allowed = await read({});
  expect(allowed.issues).toEqual([]);
  expect(allowed.summary.overlaps.every(overlap => overlap.allowed)).toBe(true);
});

test('distractors count as trained on, and the summary lies beside the data', async () => {
  const words = (k: number) => `Sentence number ${k} has more than eight words in it, so it counts.`;
  const line = (k: number) =>
    JSON.stringify({ id: `s${k}`, question: `Q${k}?`, documents: [words(k)], answer: `none${k}`, evidence: [0] });
  const file = async (name: string, from: number, to: number) => {
    const path = join(small.folder, name);
    await writeFile(path, Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join(''));
    return { type: 'jsonl', path };
  };
  const [train, lent, held] = [
    await file('train.jsonl', 0, 4),
    await file('lent.jsonl', 10, 14),
    await file('held.jsonl', 13, 15),
  ];
  const spec = {
    ...{ ...small.spec, warmup: null, phases: [{ maxTokens: 70, steps: 1 }] },
    data: [{ ...train, distractors: { upTo: 70, from: lent } }],
    evaluation: { sets: [{ name: 'held-out', source: held }] },
  };
  const opened = await small.deps.models.open('');
  small.deps.models.open = async () => ({ ...opened, contextLength: 1000 });
  const alone = validateSpec({ ...spec, data: [train] });
  const model = await small.deps.models.open(alone.model);
  const reading = { note: () => {}, signal: new AbortController().signal };
  expect((await readRunData(small.deps, alone, model, reading)).overlaps).toEqual([]);

  const wide = {
    ...spec,
    phases: [{ maxTokens: 400, steps: 1 }],
    data: [{ ...train, distractors: { upTo: 400, from: lent } }],
  };
  const prepare = (input: Record<string, unknown>) => small.run(prepareRun(small.deps), { run: 'r', input });
  await expect(prepare(wide)).rejects.toThrow(/1 of the 2 samples .* rest on a document that data\[0\]/);

  const [set] = wide.evaluation.sets;
  const plan = await prepare({ ...wide, evaluation: { sets: [{ ...set, allowOverlap: ['documents'] }] } });
  const summary = await readJson<RunDataSummary>(small.store, plan.data.summary!);
  expect(plan.data.summary!.uri).toBe(dataSummaryUri('r'));
  expect(summary.sources[0]!.lengthening).toMatchObject({ addedDocuments: 16, ranOut: 4, from: { samples: 4 } });
  const items = await readLines<PromptItem>(small.store, plan.data.train);
  expect(items.map(({ promptIds }) => promptIds.length).every(length => length <= 400)).toBe(true);
  for (const k of [10, 11, 12, 13]) expect(text(items[0]!)).toContain(words(k));
});

test('golds that nothing could be scored against are refused, with sample, value and expectation', async () => {
  const sample = { id: 's0', question: 'Where?', documents: ['x'], answer: 'Paris', trace: 'So.' };
  const write = (change: object) =>
    writeFile(join(small.folder, 'data.jsonl'), `${JSON.stringify({ ...sample, ...change })}\n`);
  await write({ task: 'choice' });
  await expect(read({})).rejects.toThrow(/source: sample "s0": task choice: expected a letter .*found "Paris"/);
  await write({ task: 'docmath', answer: '12.5%' });
  const [set] = small.spec.evaluation.sets as object[];
  const evaluation = { ...small.spec.evaluation, sets: [{ ...set, name: 'docmath' }] };
  await expect(read({ evaluation })).rejects.toThrow(
    /evaluation\.sets\[0\]\.source: sample "s0": expected a plain number.*found "12\.5%"/,
  );
});
