/** Documents beyond a model's context, read chunk by chunk: by an engine and by an endpoint, interrupted, bounded, refused. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkRow } from '../../../activities/contract/index.js';
import { readBy } from '../../../activities/evaluation/memory.js';
import type { EvaluationResult } from '../../../activities/evaluation/score-evaluation.js';
import { createActivities } from '../../../activities/index.js';
import { type ArtifactRef, readJson } from '../../../activities/store/index.js';
import { completion, FAULTS, FakeChat } from '../../support/fake-chat.js';
import { smallEvaluation } from '../../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

/** A character is a token; the small model's context has 100 of them. */
const CONTEXT = 100;
const MEMORY = { chunkTokens: 34, memoryTokens: 16, template: 'Q{question}|M{memory}|C{document}|' };
const FOUND = /key=[A-Z]/;

/** A model that notes what looks like a key, and answers with what it noted. */
function agent(prompt: string): string {
  const update = /^Q.*?\|M(.*)\|C(.*)\|$/s.exec(prompt);
  if (!update) return `Therefore, the answer is ${/key=([A-Z])/.exec(prompt)?.[1] ?? 'lost'}.`;
  const [, memory, chunk] = update as unknown as [string, string, string];
  return FOUND.exec(chunk)?.[0] ?? FOUND.exec(memory)?.[0] ?? 'no key so far';
}

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;
let chat: FakeChat;
/** What the model was asked, in order. */
let asked: string[];
beforeEach(async () => {
  small = await smallRun();
  asked = [];
  const { engine } = small;
  const call = engine.call.bind(engine);
  engine.call = async (operation, request, options) => {
    const result = await call(operation, request, options);
    if (operation !== 'generate') return result;
    const { prompts } = request as { prompts: { ids: number[] }[] };
    const groups = prompts.map(({ ids }) => {
      const text = String.fromCharCode(...ids);
      asked.push(text);
      const said = [...agent(text)].map(c => c.charCodeAt(0));
      return { responses: [{ ids: said, logprobs: [], finish: 'stop' }] };
    });
    return { ...(result as object), groups } as never;
  };
  activities = createActivities(small.deps);
  chat = await new FakeChat().start();
  chat.reply = ({ body }) => {
    asked.push(body.messages[0]!.content);
    return completion(agent(body.messages[0]!.content), { usage: { prompt_tokens: 60, completion_tokens: 5 } });
  };
});
afterEach(async () => {
  await chat.stop();
  await small.remove();
});

/** Words, no two alike, and in them the key: at the beginning, in the middle, at the end. */
function longText(place: number, length = 16 * CONTEXT): string {
  const words = Array.from({ length: Math.ceil(length / 5) }, (_, k) => `w${String(k).padStart(3, '0')} `).join('');
  return `${words.slice(0, place)} key=K ${words.slice(place)}`;
}

const MIDDLE = 8 * CONTEXT;

/** @param places where the key stands in each document */
async function spec(over: Record<string, unknown> = {}, places = [MIDDLE]) {
  const path = join(small.folder, 'long.jsonl');
  // Of equal questions about equal chunks an endpoint is asked one.
  const line = (place: number, k: number) =>
    JSON.stringify({ question: `Key ${k}?`, context: longText(place), answer: 'K' });
  await writeFile(path, places.map((place, k) => `${line(place, k)}\n`).join(''));
  return smallEvaluation(small, {
    benchmarks: [{ name: 'long', source: { type: 'jsonl', path } }],
    memory: MEMORY,
    sampling: { maxNewTokens: 20 },
    ...over,
  });
}

const remote = (over: Record<string, unknown> = {}, places = [MIDDLE]) => {
  const model = { remote: { url: chat.url, model: 'far', concurrency: 1, retrySeconds: 0 } };
  return spec({ model, tokenizer: 'any', ...over }, places);
};

const prepare = (input: Record<string, unknown>, name = 'trial/model') =>
  small.run(activities.prepareEvaluation, { start: { workflowId: name, schedule: null }, input });

async function rowOf(input: { plan: ArtifactRef }, respond: 'evaluate' | 'evaluateRemote'): Promise<BenchmarkRow> {
  const set = { plan: input.plan, set: 'long' };
  const responses = await small.run(activities[respond], set);
  return (await small.run(activities.scoreEvaluation, { ...set, responses })) as BenchmarkRow;
}

const itemsOf = async ({ uri }: BenchmarkRow) =>
  (await readJson<EvaluationResult>(small.store, (await small.store.find(uri))!)).items;

const KINDS = [
  ['local', 'evaluate', spec],
  ['remote', 'evaluateRemote', remote],
] as const;

test.each(KINDS)('%s: a document 16 times the context is answered, wherever the answer stands', async (...kind) => {
  const [, respond, specOf] = kind;
  const row = await rowOf(await prepare(await specOf({}, [0, MIDDLE, 16 * CONTEXT])), respond);
  expect(row).toMatchObject({ items: 3, score: 100, cut: 0, unanswered: 0 });
  expect(row.meanPromptTokens).toBeCloseTo(16 * CONTEXT + 7);
  // No prompt was longer than the context leaves beside the answer.
  expect(Math.max(...asked.map(text => text.length))).toBeLessThanOrEqual(CONTEXT - 20);
  const items = await itemsOf(row);
  const readings = items.flatMap(({ answers }) => answers.map(({ reading }) => reading!));
  expect(new Set(readings.map(({ memory }) => memory))).toEqual(new Set(['key=K']));
  const calls = readings.map(reading => reading.calls);
  expect(row.memory).toEqual({
    chunkTokens: 34,
    memoryTokens: 16,
    calls: calls.reduce((a, b) => a + b),
    callsAtMost: Math.max(...calls),
  });
  expect(asked).toHaveLength(row.memory!.calls);
  expect(row.sentTokens).toBe(readings.reduce((sum, { promptTokens }) => sum + promptTokens, 0));
  // Every chunk holds as much as it may, but for the word that would be torn.
  expect(row.memory!.callsAtMost).toBeLessThanOrEqual(Math.ceil((16 * CONTEXT + 7) / (34 - 6)) + 1);
});

test('the chunks of a document are the document, none longer than they may be', async () => {
  await rowOf(await prepare(await spec()), 'evaluate');
  const chunks = asked.slice(0, -1).map(text => /\|C(.*)\|$/s.exec(text)![1]!);
  expect(chunks.join('')).toBe(longText(MIDDLE));
  expect(Math.max(...chunks.map(chunk => chunk.length))).toBeLessThanOrEqual(34);
});

test('local: killed in mid-document goes on with the chunk that is missing, to the same answers', async () => {
  const whole = await prepare(await spec({ samples: 2 }), 'other/model');
  const undisturbed = await itemsOf(await rowOf(whole, 'evaluate'));
  const all = asked.length;
  const { plan } = await prepare(await spec({ samples: 2 }));
  small.engine.forget();
  small.engine.calls.length = 0;
  // Of status, load, then a status and a generate for each chunk, the generate of the twentieth chunk dies.
  small.engine.dieAt = 40;
  asked.length = 0;
  await expect(small.run(activities.evaluate, { plan, set: 'long' })).rejects.toThrow('told to die');
  small.engine.dieAt = null;
  const row = await rowOf({ plan }, 'evaluate');
  expect(await itemsOf(row)).toEqual(undisturbed);
  // Nothing was asked a second time.
  expect(asked).toHaveLength(all);
});

test('remote: what an endpoint has answered is not asked again', async () => {
  const { plan } = await prepare(await remote());
  chat.next = [...Array.from({ length: 30 }, () => null), ...Array.from({ length: 9 }, () => FAULTS.broken)];
  const input = { plan, set: 'long' };
  await expect(small.run(activities.evaluateRemote, input)).rejects.toThrow('left 1 questions unanswered');
  chat.next = [];
  const row = await rowOf({ plan }, 'evaluateRemote');
  expect(row).toMatchObject({ items: 1, score: 100 });
  expect(asked).toHaveLength(row.memory!.calls);
});

test('remote: an endpoint that reads a chunk in part is found out', async () => {
  const memory = { ...MEMORY, chunkTokens: 4000 };
  const path = join(small.folder, 'huge.jsonl');
  await writeFile(path, JSON.stringify({ question: 'Key?', context: longText(10, 9000), answer: 'K' }));
  const over = { memory, benchmarks: [{ name: 'long', source: { type: 'jsonl', path } }] };
  chat.reply = ({ body }) =>
    completion(agent(body.messages[0]!.content), { usage: { prompt_tokens: 1024, completion_tokens: 5 } });
  const row = await rowOf(await prepare(await remote(over)), 'evaluateRemote');
  expect(row.shortened).toMatchObject({ items: 1, counted: 1024, sent: expect.any(Number) });
});

test('a model that never says anything keeps what it knew', async () => {
  let calls = 0;
  chat.reply = ({ body }) => {
    const said = agent(body.messages[0]!.content);
    return said.startsWith('no') && calls++ % 2 === 0 ? '<think>on and on' : said;
  };
  const row = await rowOf(await prepare(await remote()), 'evaluateRemote');
  expect(row.score).toBe(100);
});

test('documents of more chunks than are read lose those in the middle, which is counted', async () => {
  const row = await rowOf(
    await prepare(await spec({ memory: { ...MEMORY, maxChunks: 4 } }, [0, MIDDLE, 16 * CONTEXT])),
    'evaluate',
  );
  expect(row.memory).toMatchObject({ callsAtMost: 5 });
  // The key in the middle is lost.
  expect(row).toMatchObject({ cut: 3, score: 100 * (2 / 3) });
});

describe('refused', () => {
  test.each([
    [
      { memory: { ...MEMORY, chunkTokens: 200 } },
      /memory\.chunkTokens: expected a chunk \(200 tokens\).*chunks of at most \d+ do/,
    ],
    [{ memory: { ...MEMORY, memoryTokens: 90 } }, /memory\.memoryTokens: expected a chunk .*the memory \(90\)/],
    [{ sampling: { maxNewTokens: 95 } }, /sampling\.maxNewTokens: expected a chunk .*context of 100 tokens/],
    [{ memory: { ...MEMORY, chunkTokens: 8 } }, /memory\.chunkTokens/],
    [
      { memory: { ...MEMORY, template: 'Read {document}.' } },
      /memory\.template: expected a text with \{question\}, \{memory\}/,
    ],
    [{ memory: MEMORY, maxInputTokens: 50 }, /maxInputTokens: expected nothing beside "memory"/],
  ])('%j', async (over, message) => {
    const failed = await prepare(await spec(over)).catch((error: unknown) => error);
    expect(failed).toMatchObject({ type: 'InvalidSpec', nonRetryable: true, message: expect.stringMatching(message) });
    expect(await small.store.list('store:evaluations')).toEqual([]);
  });

  test('the largest chunk that is named is taken', async () => {
    const failed = (await prepare(await spec({ memory: { ...MEMORY, chunkTokens: 200 } })).catch(
      (error: unknown) => error,
    )) as Error;
    const most = Number(/at most (\d+) do/.exec(failed.message)![1]);
    await prepare(await spec({ memory: { ...MEMORY, chunkTokens: most } }));
  });

  test('a remote model without a tokenizer that counts chunks', async () => {
    const failed = prepare(await remote({ tokenizer: undefined }));
    await expect(failed).rejects.toThrow('tokenizer: expected the model (a folder or hf:owner/name)');
  });
});

test('what reading took is told of more answers than a call may have arguments', () => {
  const readings = Array.from({ length: 300_000 }, (_, k) => ({ calls: 1 + (k % 7) }));
  expect(readBy(MEMORY, readings)).toMatchObject({ calls: 1_199_997, callsAtMost: 7 });
});
