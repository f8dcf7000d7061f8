import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJudge } from '../../../activities/rewards/judge.js';
import { DEFAULT_JUDGE_PROMPT } from '../../../activities/rewards/judge-prompt.js';
import { readVerdict } from '../../../activities/rewards/judge-verdict.js';
import { createRewarder, type GroupToReward } from '../../../activities/rewards/reward.js';
import { rewardSchema } from '../../../activities/rewards/settings.js';
import { FolderStore } from '../../../activities/store/index.js';
import { completion, FAULTS, FakeChat, type FakeChatRequest, hastyClock } from '../../support/fake-chat.js';
import { readGullibly } from '../../support/gullible-judge.js';

const KEY = 'sk-proj-0123456789abcdef';
let fake: FakeChat;
let folder: string;
let store: FolderStore;
beforeEach(async () => {
  fake = await new FakeChat().start();
  fake.reply = fair;
  folder = await mkdtemp(join(tmpdir(), 'longhaul-judge-'));
  store = new FolderStore(folder);
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Passes whoever means Paris. */
function fair({ body }: FakeChatRequest): string {
  const { quoted } = readGullibly(body.messages[0]!.content, DEFAULT_JUDGE_PROMPT);
  const said = quoted['WHAT THE STUDENT WROTE']!.join(' ');
  return `It says ${said}.\n[[${/capital of France|Paris/.test(said) ? 'YES' : 'NO'}]]`;
}

const settings = (judge: object = {}, rest: object = {}) =>
  rewardSchema.parse({
    judge: { url: fake.url, model: 'm', keyVariable: 'CHAT_KEY', retrySeconds: 1, concurrency: 1, ...judge },
    ...rest,
  });
const environment = { CHAT_KEY: KEY };
const rewarder = (judge: object = {}, rest: object = {}) =>
  createRewarder(settings(judge, rest), { store, environment, clock: hastyClock() });
const notes: string[] = [];
const options = { signal: new AbortController().signal, note: (doing: string) => notes.push(doing) };

const group = (...responses: string[]): GroupToReward => ({
  id: 's1',
  task: 'docqa',
  question: 'Where was it signed?',
  answers: ['Paris'],
  responses,
});
const says = (answer: string) => `<think>Hm.</think>Therefore, the answer is ${answer}.`;

describe('the judge', () => {
  test('is asked only where the rule does not pass, and once where answers are equal', async () => {
    const { groups, judge } = await rewarder().reward(
      [
        group(says('Paris'), says('the capital of France'), says('London'), says('London')),
        { ...group('The correct answer is (B)'), task: 'choice', answers: ['A'] },
      ],
      options,
    );
    expect(fake.requests).toHaveLength(2);
    expect(groups[0]!.rewards!.map(({ reward, rule, judge }) => [reward, rule, judge?.verdict])).toEqual([
      [1, 1, undefined],
      [1, 0, 'yes'],
      [0, 0, 'no'],
      [0, 0, 'no'],
    ]);
    expect(groups[0]!.rewards![1]!.judge!.reply).toBe('It says the capital of France.\n[[YES]]');
    expect(groups[1]!.rewards!.map(({ reward, judge }) => [reward, judge])).toEqual([[0, undefined]]);
    expect(judge).toEqual({ asked: 2, cached: 0, failed: 0, promptTokens: 20, completionTokens: 4 });
    expect(notes.at(-1)).toBe('judging, 2 of 2 answers');
  });

  test('is asked at temperature 0 for what was answered, never shown the thinking', async () => {
    await rewarder({ maxTokens: 99, extra: { reasoning_effort: 'low' } }).reward([group(says('London'))], options);
    const { temperature, max_tokens, reasoning_effort, messages } = fake.requests[0]!.body;
    expect({ temperature, max_tokens, reasoning_effort }).toEqual({
      temperature: 0,
      max_tokens: 99,
      reasoning_effort: 'low',
    });
    const content = messages[0]!.content;
    expect(readGullibly(content, DEFAULT_JUDGE_PROMPT)).toMatchObject({
      quoted: { QUESTION: ['Where was it signed?'], 'GOLD ANSWERS': ['Paris'], 'WHAT THE STUDENT WROTE': ['London'] },
      fellFor: [],
    });
    expect(content).not.toContain('Hm.');
  });

  test('sees what was said where no answer is marked as one, and nothing of thinking that does not end', async () => {
    const { groups } = await rewarder().reward(
      [group('<think>London?</think>It was in Paris, I say', '<think>Paris. The answer is', '<think>x</think>  ')],
      options,
    );
    expect(groups[0]!.rewards!.map(({ reward, judge }) => [reward, judge?.verdict])).toEqual([
      [1, 'yes'],
      [0, undefined],
      [0, undefined],
    ]);
    expect(fake.requests).toHaveLength(1);
  });

  test('is not asked for a response that was cut off, nor shown thinking that the prompt opened', async () => {
    const open = { ...group('Paris, perhaps. The answer is Rome', 'x</think>In Paris'), promptOpensThinking: true };
    const cut = {
      ...group('The answer is the capital', 'In Paris', 'In Paris'),
      finishes: ['length', 'length', 'stop'] as const,
    };
    const { groups } = await rewarder().reward([open, cut], options);
    expect(groups.map(({ rewards }) => rewards!.map(({ reward, judge }) => [reward, judge?.verdict]))).toEqual([
      [
        [0, undefined],
        [1, 'yes'],
      ],
      [
        [0, undefined],
        [0, undefined],
        [1, 'yes'],
      ],
    ]);
    expect(groups[0]!.rewards![0]!.reason).toBe('no answer found: it ends inside <think>');
    expect(fake.requests).toHaveLength(1);
  });

  test('reads a prompt of the user’s own', async () => {
    const prompt = 'Q {question} A {answers} R {response} Is it right? [[YES]] or [[NO]]';
    fake.reply = () => '[[NO]]';
    await rewarder({ prompt }).reward([group(says('London'))], options);
    const { content } = fake.requests[0]!.body.messages[0]!;
    expect(content).toMatch(/^Q BEGIN QUESTION [0-9a-f]{16}\n\| Where was it signed\?\nEND QUESTION/);
    expect(content).toMatch(/ Is it right\? \[\[YES\]\] or \[\[NO\]\]$/);
  });

  test('is not asked about what lies in the store, by whatever run', async () => {
    const asked = [group(says('London'), says('Rome'))];
    const first = await rewarder().reward(asked, options);
    const second = await rewarder().reward(asked, options);
    expect(fake.requests).toHaveLength(2);
    expect(second.groups).toEqual(first.groups);
    expect(second.judge).toEqual({ asked: 0, cached: 2, failed: 0, promptTokens: 0, completionTokens: 0 });
  });

  test('that cannot be had leaves whole groups unscored, and only those', async () => {
    fake.always = FAULTS.overloaded;
    const { groups, judge } = await rewarder().reward(
      [group(says('Paris'), says('London')), group(says('Paris'), says('Paris'))],
      options,
    );
    expect(groups[0]).toEqual({
      rewards: null,
      unscored: expect.stringMatching(/^the judge gave no verdict: http.*tries.*HTTP 503: Overloaded$/),
    });
    expect(groups[1]!.rewards!.map(({ reward }) => reward)).toEqual([1, 1]);
    expect(judge).toMatchObject({ asked: 1, failed: 1 });
  });

  test('that gives no verdict is asked again and warmer, then leaves the group unscored; what it used is counted', async () => {
    const said = ['Well, well.', 'It is right: [[YES]] [[NO]]', '[[NO]]'];
    fake.reply = () => said.shift() ?? 'YES';
    const { groups, judge } = await rewarder().reward([group(says('London'))], options);
    expect(groups[0]!.rewards!.map(({ reward }) => reward)).toEqual([0]);
    expect(judge).toMatchObject({ asked: 1, failed: 0, completionTokens: 6 });
    expect(fake.requests.map(({ body }) => body.temperature)).toEqual([0, 0.3, 0.6]);

    const again = await rewarder().reward([group(says('Rome'))], options);
    expect(again.groups[0]).toMatchObject({
      unscored: expect.stringMatching(/no verdict: expected \[\[YES\]\].*"YES"/),
    });
    expect(again.judge).toMatchObject({ asked: 1, failed: 1, completionTokens: 8 });
    // What it said is kept, verdict or not: nobody pays for it twice.
    const later = await rewarder().reward([group(says('London')), group(says('Rome'))], options);
    expect(fake.requests).toHaveLength(7);
    expect(later.groups[1]).toEqual(again.groups[0]);
    expect(later.judge).toMatchObject({ asked: 0, cached: 2, failed: 1 });
  });

  test('killed between two tries of a question goes on with the second', async () => {
    fake.reply = () => 'Well.';
    fake.next = [null, FAULTS.unauthorized];
    await expect(rewarder().reward([group(says('London'))], options)).rejects.toThrow(/HTTP 401/);
    fake.reply = () => '[[NO]]';
    await rewarder().reward([group(says('London'))], options);
    expect(fake.requests.map(({ body }) => body.temperature)).toEqual([0, 0.3, 0.3]);
  });

  test('cut off is given twice the room once, then refuses, whatever thinks how long', async () => {
    const cut = { finish: 'length', message: { reasoning_content: 'Let me see' } };
    fake.reply = ({ body }) => (body.max_tokens === 64 ? completion(null, cut) : '[[NO]]');
    const { groups } = await rewarder({ maxTokens: 64 }).reward([group(says('London'))], options);
    expect(groups[0]!.rewards![0]!.judge!.verdict).toBe('no');
    expect(fake.requests.map(({ body }) => body.max_tokens)).toEqual([64, 128]);

    fake.reply = () => completion(null, cut);
    const refused = () => rewarder({ maxTokens: 64 }).reward([group(says('Rome'))], options);
    for (let k = 0; k < 2; k++) {
      await expect(refused()).rejects.toMatchObject({
        mendedIn: 'spec',
        message: expect.stringMatching(/cut off at 128 tokens.*Raise reward\.judge\.maxTokens/),
      });
    }
    expect(fake.requests).toHaveLength(4);
    fake.reply = () => '[[YES]]';
    const raised = await rewarder({ maxTokens: 256 }).reward([group(says('Rome'))], options);
    expect(raised.groups[0]!.rewards![0]!.reward).toBe(1);
  });

  test('that reads a part of its prompt alone decides nothing: the group is left out, and nobody waits', async () => {
    fake.reply = () => completion('[[YES]]', { usage: { prompt_tokens: 2048, completion_tokens: 3 } });
    const long = { ...group(says('London')), question: 'слово '.repeat(3000), answers: ['другое '.repeat(3000)] };
    await expect(rewarder({}).reward([long], options)).resolves.toMatchObject({ judge: { failed: 0 } });
    fake.reply = () => completion('[[YES]]', { usage: { prompt_tokens: 1024, completion_tokens: 3 } });
    expect((await rewarder({ model: 'small' }).reward([long], options)).groups[0]).toMatchObject({
      rewards: null,
      unscored: expect.stringMatching(/counts 1024 tokens where at least \d+ were sent.*num_ctx/),
    });
    // Some tokenizers take ten bytes of a language's letters, and all of the prompt was read.
    const georgian = { ...long, question: 'საქართველოს '.repeat(400), answers: ['x'] };
    fake.reply = () => completion('[[NO]]', { usage: { prompt_tokens: 1400, completion_tokens: 3 } });
    expect((await rewarder({ model: 'georgian' }).reward([georgian], options)).groups[0]!.rewards).not.toBeNull();
    // With more room the same question is asked anew: what a part of the prompt came to is not kept.
    fake.reply = () => completion('[[NO]]', { usage: { prompt_tokens: 3000, completion_tokens: 3 } });
    const { groups } = await rewarder({ model: 'small' }).reward([long], options);
    expect(groups[0]!.rewards![0]!.judge!.verdict).toBe('no');
  });

  test('within a budget of tokens leaves the rest unscored', async () => {
    const { groups, judge } = await rewarder({ tokenBudget: 20 }).reward(
      ['London', 'Rome', 'Bonn'].map(city => group(says(city))),
      options,
    );
    expect(groups.map(({ rewards }) => rewards !== null)).toEqual([true, true, false]);
    expect(groups[2]).toMatchObject({ unscored: 'the judge gave no verdict: the token budget of 20 is spent' });
    expect(judge).toMatchObject({ asked: 2, failed: 1, promptTokens: 20, completionTokens: 4 });
  });

  test('has no key without its variable, and leaves none anywhere', async () => {
    const keyless = () => createJudge(settings().judge!, { store, environment: {} });
    expect(keyless).toThrow(/environment variable CHAT_KEY/);
    fake.reply = ({ headers }) => `Your key is ${headers.authorization}\n[[NO]]`;
    const rewards = await rewarder().reward([group(says('London'))], options);
    const names = await readdir(folder, { recursive: true });
    const files = names.filter(name => name.endsWith('.json')).map(name => readFile(join(folder, name), 'utf8'));
    expect(files).toHaveLength(1);
    expect([JSON.stringify(rewards), ...names, ...(await Promise.all(files))].join()).not.toContain(KEY);
  });

  test('is not asked about groups that a custom reward decides', async () => {
    const module = join(__dirname, '../../fixtures/rewards/length.cjs');
    const { groups, judge } = await rewarder({}, { custom: { module } }).reward([group(says('London'))], options);
    expect(fake.requests).toHaveLength(0);
    expect(judge).toBeNull();
    expect(groups[0]!.rewards![0]!.reward).toBe(says('London').length);
  });
});

describe('a verdict', () => {
  test.each<[string, 'yes' | 'no']>([
    ['[[YES]]', 'yes'],
    ['It is another city.\n\n[[NO]]\n', 'no'],
    ['Final verdict: **[[YES]]**', 'yes'],
    ['<think>[[NO]]</think>\r\n[[YES]]', 'yes'],
    ['They mean the same.\n[[Yes]]', 'yes'],
    ['```\n[[YES]]\n```', 'yes'],
    ['`[[no]]`', 'no'],
    ['[[YES]]\n\nThe two are equal.', 'yes'],
    ['[[NO]] – another city.\n\nThe answer [[London]] is none of the gold ones.', 'no'],
    ['\\[\\[YES\\]\\]', 'yes'],
    ['$\\boxed{[[YES]]}$', 'yes'],
    ['{"verdict": "[[YES]]"}', 'yes'],
    ['[[**YES**]]', 'yes'],
    ['[[YES]]\nSo, once more:\n[[YES]]', 'yes'],
    ['[[YES]] [[YES]]', 'yes'],
    ['- Verdict: __[[NO]]__.', 'no'],
    ['[[YES]]\nI hope this helps.', 'yes'],
  ])('is one, however it is written: %j', (text, verdict) => {
    expect(readVerdict(text)).toBe(verdict);
  });

  test.each([
    '',
    'YES',
    'yes, they are equal',
    '[YES]',
    '**YES**',
    '[[YES]] [[NO]]',
    '[[YES]]\nOn reflection:\n[[NO]]',
    'One could say [[YES]].\n[[NO]]',
    '[[YES]] or [[NO]]?',
    '[[YES/NO]]',
    '[[NOT YES]]',
    '[[YES]] [[MAYBE]]',
    '[[ YES ]]',
    '[[YES',
    'It would be [[YES]] if it said Paris.',
    'It would be [[YES]] if it said Paris.\nBut it does not.',
    '<think>[[YES]]</think>',
    '<think>[[YES]]',
    '[[YES]]</think>I cannot tell.',
    '[ [YES] ]',
    '[[\nYES\n]]',
  ])('is none otherwise: %j', text => {
    expect(readVerdict(text)).toBeNull();
  });
});
