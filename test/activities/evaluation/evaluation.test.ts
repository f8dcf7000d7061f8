/** The activities of an evaluation that stands alone, one by one, and what becomes of it when one of them dies. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { PartList } from '../../../activities/artifacts/line-parts.js';
import type { ItemsSummary } from '../../../activities/benchmarks/results.js';
import { layOut } from '../../../activities/benchmarks/table/lay-out.js';
import type { BenchmarkRow } from '../../../activities/contract/index.js';
import type { EvaluationPlan, PromptLine } from '../../../activities/evaluation/plan.js';
import type { EvaluationResult } from '../../../activities/evaluation/score-evaluation.js';
import { createActivities } from '../../../activities/index.js';
import { type ArtifactRef, readJson, readLines } from '../../../activities/store/index.js';
import { completion, FAULTS, FakeChat, type Fault } from '../../support/fake-chat.js';
import { smallEvaluation } from '../../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;
beforeEach(async () => {
  small = await smallRun();
  activities = createActivities(small.deps);
});
afterEach(() => small.remove());

const prepare = (input: Record<string, unknown>, workflowId = 'trial/model', schedule: string | null = null) =>
  small.run(activities.prepareEvaluation, { start: { workflowId, schedule }, input });
const load = async <T>(uri: string) => readJson<T>(small.store, (await small.store.find(uri))!);
const planAt = ({ plan }: { plan: ArtifactRef }) => readJson<EvaluationPlan>(small.store, plan);

async function promptsOf(prepared: { plan: ArtifactRef }): Promise<PromptLine[]> {
  const list = await readJson<PartList>(small.store, (await planAt(prepared)).sets[0]!.prompts);
  return (await Promise.all(list.parts.map(part => readLines<PromptLine>(small.store, part)))).flat();
}

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (error: unknown) => error,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}

describe('preparing', () => {
  test('pins the model and publishes items and prompts; once more it changes nothing', async () => {
    const prepared = await prepare(smallEvaluation(small));
    expect(prepared).toMatchObject({ sets: [{ name: 'questions', count: 30 }], remote: false, schedule: null });
    const plan = await planAt(prepared);
    expect(plan).toMatchObject({ name: 'trial', folder: 'model', label: 'model', model: { kind: 'folder' } });
    expect((await promptsOf(prepared))[0]).toMatchObject({ id: 's0', tokens: 20, cut: 0 });
    expect(await prepare(smallEvaluation(small))).toEqual(prepared);
  });

  test('gives every model the same items, whatever each is asked', async () => {
    const one = await planAt(await prepare(smallEvaluation(small)));
    const other = await planAt(await prepare(smallEvaluation(small, { maxInputTokens: 25 }), 'trial/short'));
    expect(other.sets[0]!.items).toEqual(one.sets[0]!.items);
    expect(other.sets[0]!.prompts).not.toEqual(one.sets[0]!.prompts);
  });

  test('cuts documents in the middle, the question never', async () => {
    const prepared = await prepare(smallEvaluation(small, { maxInputTokens: 25 }));
    const last = (await promptsOf(prepared)).at(-1)!;
    expect({ tokens: last.tokens, cut: last.cut }).toEqual({ tokens: 25, cut: 24 });
    expect(String.fromCharCode(...last.promptIds!)).toMatch(/^x{20}\n29\?\n$/);
  });

  test('lengthens short contexts as a run’s sets are; for an endpoint in the tokens of a model that is named', async () => {
    const path = join(small.folder, 'data.jsonl');
    const source = { type: 'jsonl', path, distractors: { upTo: 60 } };
    const long = { benchmarks: [{ name: 'long', source, limit: 3 }] };
    const prepared = await prepare(smallEvaluation(small, long));
    const lengths = (await promptsOf(prepared)).map(({ tokens }) => tokens!);
    expect(Math.min(...lengths)).toBeGreaterThan(40);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(60);
    const { sets } = await planAt(prepared);
    expect(sets[0]!.source).toMatchObject({ source: path, lengthening: { addedDocuments: expect.any(Number) } });

    const remote = { ...long, model: { remote: { url: 'http://127.0.0.1:1/v1', model: 'far' } } };
    expect((await failureOf(prepare(smallEvaluation(small, remote), 'trial/far'))).message).toContain(
      'since a benchmark is lengthened to a number of tokens',
    );
    const far = await prepare(smallEvaluation(small, { ...remote, tokenizer: 'any' }), 'trial/far');
    expect((await planAt(far)).sets[0]!.items).toEqual(sets[0]!.items);
  });

  test('refuses another spec under a name that is taken, with what differs', async () => {
    await prepare(smallEvaluation(small));
    const failure = await failureOf(prepare(smallEvaluation(small, { seed: 2 })));
    expect(failure).toMatchObject({ type: 'InvalidSpec', nonRetryable: true });
    expect(failure.message).toContain('seed: differs from the evaluation "trial/model" in the store');
  });

  test('writes nothing where the spec is wrong', async () => {
    const wrong = smallEvaluation(small, { maxInputTokens: 3 });
    expect((await failureOf(prepare(wrong))).message).toContain('without any document');
    expect((await failureOf(prepare({ ...wrong, model: { run: 'nobody' } }))).message).toContain(
      'model: expected a run of this store, which has none',
    );
    expect(await small.store.list('store:evaluations')).toEqual([]);
  });

  test('a firing of a schedule lies under the schedule’s name and its time', async () => {
    const plan = await planAt(await prepare(smallEvaluation(small), 'nightly-2026-11-24T03:00:00Z', 'nightly'));
    expect(plan).toMatchObject({
      name: 'nightly',
      folder: '2026-11-24T03-00-00Z',
      schedule: 'nightly',
      label: 'model',
    });
  });
});

describe('a local model', () => {
  /** Three parts: of 64, 64 and 2 items. */
  async function long(): Promise<Record<string, unknown>> {
    const path = join(small.folder, 'long.jsonl');
    const line = (k: number) => `${JSON.stringify({ id: `i${k}`, question: `${k}?`, context: 'x', answer: 'A' })}\n`;
    await writeFile(path, Array.from({ length: 130 }, (_, k) => line(k)).join(''));
    return smallEvaluation(small, { benchmarks: [{ name: 'questions', source: { type: 'jsonl', path } }] });
  }

  test('killed between parts goes on with the first that is missing, to the same answers', async () => {
    const { plan } = await prepare(await long());
    const input = { plan, set: 'questions' };
    // Of status, load and three times generate the second generate dies.
    small.engine.dieAt = 4;
    expect(await failureOf(small.run(activities.evaluate, input))).toMatchObject({ type: 'EngineLost' });
    expect(await small.store.list('store:evaluations/trial/model/responses/questions')).toEqual(['0.jsonl']);
    small.engine.calls.length = 0;
    small.engine.dieAt = null;
    const interrupted = await small.run(activities.evaluate, input);
    expect(small.engine.calls.filter(call => call === 'generate')).toHaveLength(2);

    const undisturbed = await prepare(await long(), 'other/model');
    const whole = await small.run(activities.evaluate, { plan: undisturbed.plan, set: 'questions' });
    const hashes = async (ref: ArtifactRef) =>
      (await readJson<PartList>(small.store, ref)).parts.map(({ sha256 }) => sha256);
    expect(await hashes(interrupted)).toEqual(await hashes(whole));
  });

  test('whose folder changed since it was pinned is refused', async () => {
    const { plan } = await prepare(smallEvaluation(small));
    await writeFile(join(small.folder, 'model', 'model.safetensors'), 'other weights');
    const failure = await failureOf(small.run(activities.evaluate, { plan, set: 'questions' }));
    expect(failure).toMatchObject({ type: 'CorruptArtifactError', nonRetryable: true });
  });

  test('is scored by rule and by the official metrics, item by item', async () => {
    const { plan } = await prepare(smallEvaluation(small, { samples: 4, passAt: [1, 4] }));
    const input = { plan, set: 'questions' };
    const responses = await small.run(activities.evaluate, input);
    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    expect(row).toMatchObject({ items: 30, meanAt: 4, metric: 'custom', unscored: 0, unanswered: 0, cut: 0 });
    expect(Object.keys(row.official)).toEqual(['f1', 'em']);
    expect(row.passAt[4]!.score).toBeGreaterThan(row.passAt[1]!.score);
    expect(row.passAt[1]!.score).toBeCloseTo(row.score);
    const { items } = await load<EvaluationResult>(row.uri);
    const right = items.flatMap(({ answers }) => answers).filter(({ reward }) => reward === 1);
    expect(right.length / 120).toBeCloseTo(row.score / 100);
    expect(right[0]).toMatchObject({ extracted: 'A', official: { em: 1 }, finish: 'stop' });
  });
});

describe('a remote model', () => {
  let chat: FakeChat;
  beforeEach(async () => {
    chat = await new FakeChat().start();
    chat.reply = ({ body }) =>
      `Therefore, the answer is ${body.messages[0]!.content.length % 2 === 0 ? 'A' : 'something else'}.`;
  });
  afterEach(() => chat.stop());

  const remote = (over: Record<string, unknown> = {}) =>
    smallEvaluation(small, {
      model: { remote: { url: chat.url, model: 'far', concurrency: 1, retrySeconds: 0, ...over } },
    });
  const asked = () => chat.requests.length;

  test('killed at item k is asked for the rest alone, and paid for once', async () => {
    const { plan, remote: isRemote } = await prepare(remote(), 'trial/far');
    expect(isRemote).toBe(true);
    chat.next = [...Array.from({ length: 11 }, () => null), ...Array.from({ length: 40 }, () => FAULTS.broken)];
    const input = { plan, set: 'questions' };
    const failure = await failureOf(small.run(activities.evaluateRemote, input));
    expect(failure).toMatchObject({ type: 'EndpointUnavailable', nonRetryable: false });
    expect(failure.message).toContain('The 11 replies there are kept');
    chat.next = [];
    const before = asked();
    const responses = await small.run(activities.evaluateRemote, input);
    expect(asked() - before).toBe(30 - 11);
    await small.run(activities.evaluateRemote, input);
    expect(asked() - before).toBe(30 - 11);

    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    expect(row).toMatchObject({ items: 30, score: 50, answerTokens: 60, sentTokens: 300 });
  });

  test('an item at which the endpoint fails each time is left out once it answers others, and never while it is away', async () => {
    const { plan } = await prepare(remote(), 'trial/far');
    const input = { plan, set: 'questions' };
    const attempt = (attempt: number) => new MockActivityEnvironment({ attempt }).run(activities.evaluateRemote, input);
    chat.next = [FAULTS.broken];
    expect((await failureOf(attempt(1))).message).toContain('left 1 questions unanswered');
    chat.next = [FAULTS.broken];
    expect((await failureOf(attempt(4))).message).toContain('left 1 questions unanswered');
    // The question that is no item's fails as well.
    chat.next = [FAULTS.broken, FAULTS.broken];
    expect((await failureOf(attempt(5))).message).toContain('left 1 questions unanswered');
    chat.next = [FAULTS.broken];
    const responses = (await attempt(6)) as ArtifactRef;
    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    expect(row).toMatchObject({ items: 29, unanswered: 1 });
    const { items } = await load<EvaluationResult>(row.uri);
    expect(items[0]!.unanswered).toMatch(/it failed at this question in 6 tries: .*500/);
  });

  test('another evaluation, or another firing, asks anew', async () => {
    for (const name of ['one', 'two']) {
      const { plan } = await prepare(remote(), `${name}/far`);
      await small.run(activities.evaluateRemote, { plan, set: 'questions' });
    }
    expect(asked()).toBe(60);
  });

  test('what the endpoint rejects is unanswered: counted, and in no mean', async () => {
    const { plan } = await prepare(remote(), 'trial/far');
    chat.next = [FAULTS.tooLong, null, FAULTS.filtered];
    const input = { plan, set: 'questions' };
    const responses = await small.run(activities.evaluateRemote, input);
    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    expect(row).toMatchObject({ items: 28, unanswered: 2, unscored: 0 });
    const { items } = await load<EvaluationResult>(row.uri);
    expect(items[0]).toMatchObject({ answers: [], unanswered: expect.stringContaining('a context of 4096 tokens') });
  });

  test('a reply that died on the server is asked for again, a filtered one is unanswered: neither scores 0', async () => {
    const { plan } = await prepare(remote({ retrySeconds: 5 }), 'trial/far');
    const says =
      (choice: object): Fault =>
      response =>
        void response.end(JSON.stringify({ choices: [choice] }));
    const message = { role: 'assistant', content: '' };
    chat.next = [
      says({ finish_reason: 'error', error: { code: 502, message: 'upstream failed' }, message }),
      null,
      says({ finish_reason: 'content_filter', message }),
    ];
    const input = { plan, set: 'questions' };
    const responses = await small.run(activities.evaluateRemote, input);
    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    expect(row).toMatchObject({ items: 29, unanswered: 1 });
    expect(asked()).toBe(31);
    const { items } = await load<EvaluationResult>(row.uri);
    expect(items[0]!.answers[0]!.text).toMatch(/^Therefore/);
    expect(items[1]).toMatchObject({ unanswered: expect.stringMatching(/a filter took the reply/) });
  });

  test('that reads a part of the prompts alone is found out by its count, in result and table', async () => {
    const path = join(small.folder, 'long.jsonl');
    const context = 'x'.repeat(13200);
    await writeFile(path, JSON.stringify({ question: 'Why?', context, answer: 'A' }));
    const benchmarks = [{ name: 'long', source: { type: 'jsonl', path } }];
    const rowOf = async (counted: number, name: string, spec: object) => {
      chat.reply = () => completion('The answer is A.', { usage: { prompt_tokens: counted, completion_tokens: 5 } });
      const { plan } = await prepare({ ...remote(), benchmarks, ...spec }, `${name}/far`);
      const input = { plan, set: 'long' };
      const responses = await small.run(activities.evaluateRemote, input);
      return (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    };
    const row = await rowOf(2048, 'cut', { tokenizer: 'any' });
    expect(row).toMatchObject({ items: 1, shortened: { items: 1, counted: 2048, sent: 13206 } });
    const { label, set, metric, items } = await load<EvaluationResult>(row.uri);
    expect(items[0]).toMatchObject({ shortened: { counted: 2048, sent: 13206 } });
    const shown = { label, kind: 'measured' as const, cells: { [set]: row as unknown as ItemsSummary } };
    expect(metric).toBe('custom');
    expect(layOut({ rows: [shown], metric: 'reward', baseline: null, comparisons: [] }).notes.join()).toContain(
      '1 of 1 items read in part: the endpoint counts 2,048 tokens where 13,206 were sent, so its context is smaller',
    );
    // Other tokenizers count otherwise, and an endpoint that does not count says little.
    expect(await rowOf(7000, 'other', { tokenizer: 'any' })).not.toHaveProperty('shortened');
    expect(await rowOf(10, 'little', { tokenizer: 'any' })).not.toHaveProperty('shortened');
    // Without a tokenizer, by what the letters come to at the very least.
    expect(await rowOf(1000, 'none', {})).toMatchObject({ shortened: { counted: 1000, sent: 1200 } });
  });

  test('that answers nothing at all is no score of 0', async () => {
    const { plan } = await prepare(remote(), 'trial/far');
    chat.always = FAULTS.tooLong;
    const input = { plan, set: 'questions' };
    const responses = await small.run(activities.evaluateRemote, input);
    const failure = await failureOf(small.run(activities.scoreEvaluation, { ...input, responses }));
    expect(failure).toMatchObject({ type: 'NothingScored', nonRetryable: true });
  });

  test('that there is none of fails for good, with what to do', async () => {
    const { plan } = await prepare(remote(), 'trial/far');
    chat.always = FAULTS.notFound;
    const failure = await failureOf(small.run(activities.evaluateRemote, { plan, set: 'questions' }));
    expect(failure).toMatchObject({ type: 'EndpointRefused', nonRetryable: true });
    expect(asked()).toBe(1);
  });

  test('needs a tokenizer as soon as a document may be too long, or a limit is set', async () => {
    const limited = { ...remote(), maxInputTokens: 30 };
    expect((await failureOf(prepare(limited))).message).toContain('tokenizer: expected the model');
    const prepared = await prepare({ ...limited, tokenizer: 'any' }, 'trial/far');
    const prompts = await promptsOf(prepared);
    expect(prompts.at(-1)).toMatchObject({ tokens: 30, cut: 19, text: `${'x'.repeat(25)}\n29?\n` });

    const path = join(small.folder, 'huge.jsonl');
    await writeFile(path, JSON.stringify({ question: 'Why?', context: 'x'.repeat(200_000), answer: 'A' }));
    const huge = { ...remote(), benchmarks: [{ name: 'huge', source: { type: 'jsonl', path } }] };
    expect((await failureOf(prepare(huge, 'huge/far'))).message).toContain('may have more than 120000 tokens');
  });

  test('the key is in no artifact', async () => {
    small.environment.FAR_KEY = 'sk-very-secret-key';
    const { plan } = await prepare(remote({ keyVariable: 'FAR_KEY' }), 'trial/far');
    await small.run(activities.evaluateRemote, { plan, set: 'questions' });
    expect(chat.requests[0]!.headers.authorization).toBe('Bearer sk-very-secret-key');
    const spec = await readFile(join(small.store.root, 'evaluations/trial/far/spec.json'), 'utf8');
    expect(spec).toContain('FAR_KEY');
    expect(spec).not.toContain('very-secret');
  });
});

test('a benchmark whose score is its official metric is asked of neither rule nor judge', async () => {
  const chat = await new FakeChat().start();
  try {
    const path = join(small.folder, 'mrcr.jsonl');
    const prompt = [
      { role: 'user', content: 'A poem, please.' },
      { role: 'assistant', content: 'Tapirs sleep.' },
      { role: 'user', content: 'Prepend aB3 to the first poem.' },
    ];
    const record = { prompt, answer: 'aB3Tapirs sleep.', random_string_to_prepend: 'aB3', n_needles: 2 };
    // Of equal questions an endpoint would be asked one.
    const other = { ...record, prompt: [prompt[0], { role: 'assistant', content: 'Tapirs eat.' }, prompt[2]] };
    await writeFile(path, `${JSON.stringify(record)}\n${JSON.stringify(other)}\n`);
    const judge = { url: 'http://127.0.0.1:1/v1', model: 'nobody' };
    const spec = smallEvaluation(small, {
      model: { remote: { url: chat.url, model: 'far', concurrency: 1 } },
      benchmarks: [{ name: 'mrcr', source: { type: 'mrcr', path } }],
      reward: { judge },
      samples: 2,
    });
    const said = ['aB3Tapirs sleep.', 'aB3Tapirs', 'Tapirs sleep.', '<think>on and on'];
    chat.reply = () => said.shift()!;
    const { plan } = await prepare(spec, 'trial/far');
    const input = { plan, set: 'mrcr' };
    const responses = await small.run(activities.evaluateRemote, input);
    const row = (await small.run(activities.scoreEvaluation, { ...input, responses })) as BenchmarkRow;
    const { items } = await load<EvaluationResult>(row.uri);
    const scores = items.flatMap(({ answers }) => answers.map(({ reward }) => reward));
    // difflib.SequenceMatcher(None, 'Tapirs', 'Tapirs sleep.').ratio()
    expect(scores).toEqual([1, 12 / 19, 0, 0]);
    expect(row).toMatchObject({ metric: 'mrcr', items: 2, official: { similarity: { score: row.score } } });
    expect(row).not.toHaveProperty('judge');
  } finally {
    await chat.stop();
  }
});
