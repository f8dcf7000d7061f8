import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askAll, type Question } from '../../../activities/remote/ask-all.js';
import { createChatClient } from '../../../activities/remote/chat.js';
import { EndpointRefusedError } from '../../../activities/remote/errors.js';
import type { RecordedReply } from '../../../activities/remote/recorded.js';
import { type ChatSettings, chatSchema } from '../../../activities/remote/settings.js';
import { FolderStore } from '../../../activities/store/index.js';
import { FAULTS, FakeChat, hastyClock } from '../../support/fake-chat.js';

const KEY = 'sk-proj-0123456789abcdef';
let fake: FakeChat;
let folder: string;
let store: FolderStore;
beforeEach(async () => {
  fake = await new FakeChat().start();
  folder = await mkdtemp(join(tmpdir(), 'longhaul-replies-'));
  store = new FolderStore(folder);
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true, force: true });
});

const client = (settings: Partial<ChatSettings> = {}) =>
  createChatClient(
    chatSchema.parse({ url: fake.url, model: 'm', keyVariable: 'CHAT_KEY', retrySeconds: 1, ...settings }),
    { CHAT_KEY: KEY },
    hastyClock(),
  );
const signal = new AbortController().signal;
const request = (content: string) => ({
  messages: [{ role: 'user' as const, content }],
  temperature: 0.7,
  topP: 1,
  maxTokens: 10,
});
const questions = (count: number): Question[] =>
  Array.from({ length: count }, (_, k) => ({ request: request(`q${k}`), place: { scope: 'nightly', index: 0 } }));
const all = (asked: readonly Question[], settings: Partial<ChatSettings> = {}, tokenBudget: number | null = null) =>
  askAll(store, client(settings), asked, { signal, tokenBudget });

/** Every file's content below the store's replies. */
async function contents(): Promise<string[]> {
  const entries = await readdir(join(folder, 'replies'), { withFileTypes: true, recursive: true });
  return Promise.all(entries.filter(e => e.isFile()).map(e => readFile(join(e.parentPath ?? e.path, e.name), 'utf8')));
}

async function replyIn(
  store: FolderStore,
  settings: Partial<ChatSettings>,
  content = 'q',
  place: Question['place'] = {},
): Promise<RecordedReply> {
  const asked = [{ request: request(content), place }];
  const { answers } = await askAll(store, client(settings), asked, { signal, tokenBudget: null });
  return answers[0]!.reply!;
}

describe('a recorded reply', () => {
  test('is asked for once, in whatever process', async () => {
    fake.reply = () => `reply ${fake.requests.length}`;
    const first = await replyIn(store, {});
    expect(first).toMatchObject({ text: 'reply 1', cached: false });
    expect(await replyIn(new FolderStore(folder), {})).toEqual({ ...first, cached: true });
    expect(fake.requests).toHaveLength(1);
  });

  test('is another for another question, place, model or field, and the same however long one waits', async () => {
    const asked = (settings: Partial<ChatSettings>, content: string, place: { scope?: string; index?: number }) =>
      replyIn(store, settings, content, place);
    await asked({}, 'q', {});
    await asked({}, 'p', {});
    await asked({}, 'q', { scope: 'a' });
    await asked({}, 'q', { scope: 'b' });
    await asked({}, 'q', { scope: 'b', index: 1 });
    await asked({ model: 'n' }, 'q', {});
    await asked({ extra: { top_k: 1 } }, 'q', {});
    expect(fake.requests).toHaveLength(7);
    expect(await asked({ timeoutSeconds: 7, concurrency: 1, retrySeconds: 2 }, 'q', {})).toMatchObject({
      cached: true,
    });
  });

  test('of two workers at once is one: what was published first', async () => {
    fake.reply = () => `reply ${fake.requests.length}`;
    const workers = Array.from({ length: 8 }, () => replyIn(new FolderStore(folder), {}));
    const texts = new Set((await Promise.all(workers)).map(reply => reply.text));
    expect(fake.requests.length).toBeGreaterThan(1);
    expect(texts.size).toBe(1);
    expect(await contents()).toHaveLength(1);
  });

  test('holds no key', async () => {
    fake.reply = ({ headers }) => `You sent ${headers.authorization}`;
    await replyIn(store, {});
    const found = await contents();
    expect(found).toHaveLength(1);
    expect(found.join()).not.toContain(KEY);
  });
});

describe('many questions', () => {
  test('are answered in order, so many at a time, and counted', async () => {
    fake.delayMs = 5;
    fake.reply = ({ body }) => `to ${body.messages[0]!.content}`;
    const { answers, usage } = await all(questions(20), { concurrency: 3 });
    expect(answers.map(answer => answer.reply?.text)).toEqual(questions(20).map((_, k) => `to q${k}`));
    expect(fake.mostAtOnce).toBe(3);
    expect(usage).toEqual({ asked: 20, cached: 0, failed: 0, promptTokens: 200, completionTokens: 40 });
    expect((await all(questions(21))).usage).toEqual({
      asked: 1,
      cached: 20,
      failed: 0,
      promptTokens: 10,
      completionTokens: 2,
    });
  });

  test('that fail leave the others alone, and are asked again the next time', async () => {
    fake.next = [null, FAULTS.tooLong, null, FAULTS.broken, FAULTS.broken];
    const first = await all(questions(4), { concurrency: 1, retrySeconds: 0.6 });
    expect(first.answers.map(answer => (answer.reply ? 'reply' : answer.lasting))).toEqual([
      'reply',
      true,
      'reply',
      false,
    ]);
    expect(first.usage).toMatchObject({ asked: 4, failed: 2 });
    expect((await all(questions(4))).usage).toMatchObject({ asked: 2, cached: 2, failed: 0 });
  });

  test('go on where a killed activity stopped', async () => {
    const stop = new AbortController();
    const killed = askAll(store, client({ concurrency: 2 }), questions(10), {
      signal: stop.signal,
      tokenBudget: null,
      onAnswer: done => {
        if (done === 4) stop.abort(new Error('killed'));
      },
    });
    await expect(killed).rejects.toThrow('killed');
    const asked = fake.requests.length;
    const { usage } = await all(questions(10));
    expect(fake.requests).toHaveLength(asked + usage.asked);
    expect(usage.cached).toBeGreaterThanOrEqual(4);
    expect(usage.cached + usage.asked).toBe(10);
  });

  test('stop at the budget; what lies in the store still counts', async () => {
    await all(questions(10).slice(7));
    const { answers, usage } = await all(questions(10), { concurrency: 1 }, 30);
    expect(usage).toEqual({ asked: 3, cached: 3, failed: 4, promptTokens: 30, completionTokens: 6 });
    expect(answers.map(answer => answer.reply !== null)).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
      ...[true, true, true],
    ]);
    expect(answers[3]).toEqual({ reply: null, why: 'the token budget of 30 is spent', lasting: false });
  });

  test('are not all tried out on an endpoint that is away', async () => {
    fake.always = FAULTS.overloaded;
    const { answers, usage } = await all(questions(50), { concurrency: 1, retrySeconds: 0 });
    expect(usage).toMatchObject({ asked: 3, failed: 50 });
    expect(fake.requests).toHaveLength(3);
    expect(answers[49]).toMatchObject({ why: expect.stringMatching(/questions before unanswered/), lasting: false });
  });

  test('that nobody answers, none from the first on, are no fault of each of them', async () => {
    fake.always = FAULTS.filtered;
    const url = `${fake.url}/never-asked-before`;
    const asked = () => all(questions(9), { url, concurrency: 1 });
    await expect(asked()).rejects.toMatchObject({
      mendedIn: 'spec',
      message: expect.stringMatching(/none of the first 3 questions has an answer; the last: .*HTTP 422: Filtered/),
    });
    expect(fake.requests).toHaveLength(3);
    fake.next = [null];
    expect((await asked()).usage).toMatchObject({ asked: 9, failed: 8 });
  });

  test('end at once when the endpoint refuses its settings', async () => {
    fake.next = [FAULTS.hang, FAULTS.unauthorized];
    await expect(all(questions(10), { concurrency: 2, timeoutSeconds: 60 })).rejects.toThrow(EndpointRefusedError);
    expect(fake.requests).toHaveLength(2);
  });
});
