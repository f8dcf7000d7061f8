import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import type { PromptItem, ScoredRollouts, UpdateRecord } from '../../../activities/artifacts/formats.js';
import { createActivities } from '../../../activities/index.js';
import type { RunSpec } from '../../../activities/spec/run-spec.js';
import { type ArtifactRef, readJson, readLines } from '../../../activities/store/index.js';
import { FAULTS, FakeChat } from '../../support/fake-chat.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

const KEY = 'sk-proj-0123456789abcdef';
let small: SmallRun;
let fake: FakeChat;
let activities: ReturnType<typeof createActivities>;

beforeEach(async () => {
  fake = await new FakeChat().start();
  fake.reply = () => 'No.\n[[NO]]';
  small = await smallRun();
  small.environment.CHAT_KEY = KEY;
  activities = createActivities(small.deps);
});
afterEach(async () => {
  await fake.stop();
  await small.remove();
});

const judge = () => ({ url: fake.url, model: 'm', keyVariable: 'CHAT_KEY', retrySeconds: 1, concurrency: 1 });
const prepare = (reward: object, rest: object = {}) =>
  small.run(activities.prepareRun, { run: 'r', input: { ...small.spec, reward, ...rest } });

/** A run with this reward up to the scoring of its first round. */
async function sampled(reward: object) {
  const plan = await prepare(reward);
  const base = await small.run(activities.importBase, { run: 'r', model: plan.model });
  const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
  const { spec } = plan;
  const data = plan.data.train;
  const { pool } = await small.run(activities.buildPool, { stage, spec, data, difficulties: [] });
  const common = { stage, spec, data, policy: base, entry: true, step: 1 };
  const round = { ...common, pool, refill: 0, cursor: 0, count: 4 };
  const { rollouts } = await small.run(activities.rollout, round);
  return { common, score: { stage, spec, data, step: 1, refill: 0, rollouts } };
}

const scoresIn = (ref: ArtifactRef) => readLines<ScoredRollouts>(small.store, ref);

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: Error) => error,
  );
}

describe('scoring with a judge', () => {
  test('gives a response that never leaves the thinking its prompt opened 0, and asks nobody', async () => {
    // The small run's responses hold no </think>; its template, as here, is plain text.
    const template = '{document}\n{question}\n<think>\n';
    const plan = await prepare({ judge: judge() }, { prompt: { ...small.spec.prompt, template } });
    const items = await readLines<PromptItem>(small.store, plan.data.train);
    expect(items.every(({ thinkingOpen }) => thinkingOpen)).toBe(true);
    const base = await small.run(activities.importBase, { run: 'r', model: plan.model });
    const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
    const common = { stage, spec: plan.spec, data: plan.data.train };
    const { pool } = await small.run(activities.buildPool, { ...common, difficulties: [] });
    const round = { ...common, policy: base, entry: true, step: 1, pool, refill: 0, cursor: 0, count: 1 };
    const { rollouts } = await small.run(activities.rollout, round);
    const result = await small.run(activities.score, { ...common, step: 1, refill: 0, rollouts });
    const [group] = await scoresIn(result.scores);
    expect(new Set(group!.responses.map(({ reward, reason }) => `${reward}: ${reason}`))).toEqual(
      new Set(['0: no answer found: it ends inside <think>']),
    );
    expect(fake.requests).toHaveLength(0);
  });

  test('records verdicts, and asks nothing when it is done again', async () => {
    const { score, common } = await sampled({ judge: judge() });
    const first = await small.run(activities.score, score);
    // All wrong answers are "B", and one question of four has none.
    expect(first.judge).toEqual({ asked: 3, cached: 0, failed: 0, promptTokens: 30, completionTokens: 6 });
    expect(first.unscored).toBe(0);
    const responses = (await scoresIn(first.scores)).flatMap(group => group.responses);
    for (const { rule, judge } of responses) {
      expect(judge).toEqual(rule === 1 ? undefined : { verdict: 'no', reply: 'No.\n[[NO]]' });
    }
    const { judge: _, ...again } = first;
    expect(await small.run(activities.score, score)).toEqual(again);
    await rm(join(small.store.root, 'runs/r/phase-1/1/steps/1/scores-0.jsonl'));
    const scores = await small.run(activities.score, score);
    expect(scores.scores).toEqual(first.scores);
    expect(scores.judge).toMatchObject({ asked: 0, cached: 3 });
    expect(fake.requests).toHaveLength(3);

    const rounds = [{ rollouts: score.rollouts, scores: first.scores }];
    await small.run(activities.update, { ...common, rounds, skip: false, judge: first.judge! });
    const update = (await small.store.find('store:runs/r/phase-1/1/steps/1/update.json'))!;
    expect((await readJson<UpdateRecord>(small.store, update)).counts).toMatchObject({
      unscored: 0,
      judge: first.judge,
    });
  });

  test('that is away drops the groups that need it, counts them, and trains on the others', async () => {
    fake.next = [null];
    fake.always = FAULTS.overloaded;
    const { score, common } = await sampled({ judge: { ...judge(), retrySeconds: 0 } });
    const scored = await small.run(activities.score, score);
    expect(scored).toMatchObject({ groups: 4, effective: 1, unscored: 2, judge: { asked: 3, failed: 2 } });
    expect(scored.responses).toBe(8);
    const dropped = (await scoresIn(scored.scores)).filter(group => group.dropped === 'unscored');
    expect(dropped).toHaveLength(2);
    for (const group of dropped) {
      expect(group).toMatchObject({ meanReward: null, reason: expect.stringMatching(/HTTP 503: Overloaded/) });
      expect(group.responses.some(response => 'reward' in response)).toBe(false);
    }
    const rounds = [{ rollouts: score.rollouts, scores: scored.scores }];
    const { counts } = await small.run(activities.update, { ...common, rounds, skip: false });
    expect(counts).toMatchObject({ drawn: 4, unscored: 2, trained: 1 });
  });

  test('killed half-way goes on where it stopped', async () => {
    const { score } = await sampled({ judge: judge() });
    fake.next = [null, null, FAULTS.unauthorized];
    await failureOf(small.run(activities.score, score));
    expect(fake.requests).toHaveLength(3);
    const scored = await small.run(activities.score, score);
    expect(scored.judge).toMatchObject({ asked: 1, cached: 2 });
    expect(fake.requests).toHaveLength(4);
  });

  test('by two workers at once comes to one result, though each was told otherwise', async () => {
    let verdicts = 0;
    fake.reply = () => (verdicts++ % 2 === 0 ? '[[YES]]' : '[[NO]]');
    const { score } = await sampled({ judge: judge() });
    const both = await Promise.all([small.run(activities.score, score), small.run(activities.score, score)]);
    expect(both[0].scores).toEqual(both[1].scores);
    expect(both[0].rewardSum).toBe(both[1].rewardSum);
  });

  test('of which one worker finds it away comes to one result, too', async () => {
    const { score } = await sampled({ judge: { ...judge(), retrySeconds: 0 } });
    fake.always = FAULTS.overloaded;
    const file = join(small.store.root, 'runs/r/phase-1/1/steps/1/scores-0.jsonl');
    await small.run(activities.score, score);
    await copyFile(file, join(small.folder, 'away'));
    await rm(file);
    fake.always = null;
    // The other publishes while this one asks.
    let first = true;
    fake.reply = () => {
      if (first) void rename(join(small.folder, 'away'), file);
      first = false;
      return '[[NO]]';
    };
    fake.delayMs = 20;
    expect(await small.run(activities.score, score)).toMatchObject({ unscored: 3, responses: 4 });
  });

  test('on a worker without the key fails by name, to be tried again', async () => {
    const { score } = await sampled({ judge: judge() });
    delete small.environment.CHAT_KEY;
    const failure = await failureOf(small.run(activities.score, score));
    expect((failure as ApplicationFailure).nonRetryable).toBe(false);
    expect(failure.message).toMatch(/environment variable CHAT_KEY.* is not set where this worker runs/);
    small.environment.CHAT_KEY = KEY;
    expect(await small.run(activities.score, score)).toMatchObject({ unscored: 0 });
  });

  test.each([
    ['unauthorized', false],
    ['noCredit', false],
    ['noQuota', false],
    ['notFound', true],
  ] as const)('that refuses (%s) is said; only what is wrong in the spec is final', async (fault, nonRetryable) => {
    fake.always = FAULTS[fault];
    const { score } = await sampled({ judge: judge() });
    expect(await failureOf(small.run(activities.score, score))).toMatchObject({
      type: 'EndpointRefused',
      nonRetryable,
    });
  });

  test('leaves the key nowhere in the store', async () => {
    fake.reply = ({ headers }) => `You sent ${headers.authorization}\n[[NO]]`;
    const { score } = await sampled({ judge: judge() });
    await small.run(activities.score, score);
    const entries = await readdir(small.folder, { withFileTypes: true, recursive: true });
    const files = entries.filter(entry => entry.isFile());
    expect(files.length).toBeGreaterThan(10);
    for (const { parentPath, path, name } of files) {
      expect(await readFile(join(parentPath ?? path, name), 'utf8')).not.toContain(KEY);
    }
  });
});

describe('a prompt in a file', () => {
  const TEXT = 'Q {question} A {answers} R {response}: [[YES]] or [[NO]]?';
  let promptFile: string;
  beforeEach(async () => {
    promptFile = join(small.folder, 'judge.txt');
    await writeFile(promptFile, TEXT);
  });
  const specIn = (ref: ArtifactRef) => readJson<RunSpec>(small.store, ref);

  test('is in the run’s record, and is not read again', async () => {
    const reward = { judge: { ...judge(), promptFile } };
    const { spec } = await prepare(reward);
    expect((await specIn(spec)).reward.judge).toMatchObject({ promptFile, prompt: TEXT });
    await rm(promptFile);
    expect((await prepare(reward)).spec).toEqual(spec);
  });

  test('may be another in a later attempt', async () => {
    const { spec } = await prepare({ judge: { ...judge(), promptFile } });
    const other = join(small.folder, 'other.txt');
    await writeFile(other, `Strictly. ${TEXT}`);
    const claim = (attempt: number, overrides: Record<string, unknown>) =>
      small.run(activities.claimAttempt, {
        stage: { run: 'r', stage: 'phase-1', attempt },
        spec,
        warmupData: null,
        overrides,
      });
    const changed = await claim(2, { 'reward.judge.promptFile': other });
    expect((await specIn(changed.spec)).reward.judge!.prompt).toBe(`Strictly. ${TEXT}`);
    await rm(promptFile);
    const kept = await claim(3, { 'reward.judge.model': 'n' });
    expect((await specIn(kept.spec)).reward.judge).toMatchObject({ model: 'n', prompt: TEXT });
  });

  test.each([
    ['a file that is not there', { promptFile: 'none.txt' }, 'reward.judge.promptFile', /ENOENT/],
    ['a prompt that lacks a placeholder', { prompt: 'Well?' }, 'reward.judge.prompt', /it lacks \{question\}/],
  ])('%s is refused', async (_, wrong, path, problem) => {
    const failure = await failureOf(prepare({ judge: { ...judge(), ...wrong } }));
    expect(failure).toMatchObject({ type: 'InvalidSpec', nonRetryable: true });
    expect(failure.message).toContain(`${path}: `);
    expect(failure.message).toMatch(problem);
  });

  test('that lacks a placeholder is refused by its file', async () => {
    await writeFile(promptFile, 'Well? {question}');
    const failure = await failureOf(prepare({ judge: { ...judge(), promptFile } }));
    expect(failure.message).toContain(`reward.judge.promptFile: ${promptFile}: expected a text with`);
  });
});

describe('before a run begins', () => {
  test('a missing key is said, to be tried again', async () => {
    delete small.environment.CHAT_KEY;
    const failure = await failureOf(prepare({ judge: judge() }));
    expect((failure as ApplicationFailure).nonRetryable).toBe(false);
    expect(failure.message).toMatch(/CHAT_KEY/);
  });

  test('a missing module is refused', async () => {
    const failure = await failureOf(prepare({ custom: { module: '/nowhere/reward.js' } }));
    expect(failure).toMatchObject({ type: 'InvalidSpec' });
    expect(failure.message).toMatch(/reward\.custom\.module: .*\/nowhere\/reward\.js/);
  });
});

describe('a custom reward', () => {
  test('sees the prompt, and its mistakes end the phase', async () => {
    const module = join(small.folder, 'reward.cjs');
    await writeFile(module, 'module.exports = ({ prompt, question }) => (prompt.includes(question) ? 3 : NaN);');
    const { score } = await sampled({ custom: { module } });
    expect(await small.run(activities.score, score)).toMatchObject({ rewardSum: 48, passes: 16, effective: 0 });
    await rm(join(small.store.root, 'runs/r/phase-1/1/steps/1/scores-0.jsonl'));
    await writeFile(module, 'module.exports = () => null;');
    const failure = await failureOf(small.run(activities.score, score));
    expect(failure).toMatchObject({ type: 'CustomRewardError', nonRetryable: true });
    expect(failure.message).toMatch(/reward\.cjs, asked about response 1 to sample s\d+, gave null/);
  });
});

describe('an evidence reward', () => {
  const numbered = () => ({ prompt: { ...small.spec.prompt, numbered: true } });
  const data = (evidence: number[] | null) =>
    writeFile(
      join(small.folder, 'data.jsonl'),
      Array.from({ length: 40 }, (_, k) =>
        JSON.stringify({
          id: `s${k}`,
          question: `${String(k).padStart(2, '0')}?`,
          documents: [{ title: 'T', text: 'x'.repeat(5 + k) }, { text: 'yy' }],
          answers: ['A'],
          task: 'docqa',
          trace: 'Therefore, the answer is A.',
          ...(evidence && { evidence }),
        }),
      ).join('\n'),
    );

  test('knows documents by the numbers that they have in the prompt', async () => {
    await data([1]);
    const plan = await prepare({ evidence: {} }, numbered());
    const [item] = await readLines<PromptItem>(small.store, plan.data.train);
    expect(item!.evidence).toEqual([2]);
    expect(String.fromCharCode(...item!.promptIds)).toBe('[1] T\nxxxxx\n\n[2]\nyy\n00?\n');
  });

  test('is refused where a sample does not say what its answer rests on', async () => {
    await data(null);
    const failure = await failureOf(prepare({ evidence: {} }, numbered()));
    expect(failure.message).toMatch(/reward\.evidence: .*; 40 of 40 do not, the first of them s0/);
  });

  test('is refused where documents have no numbers, and in a later attempt', async () => {
    expect((await failureOf(prepare({ evidence: {} }))).message).toMatch(/prompt\.numbered: expected true/);
    const { spec } = await prepare({});
    const claim = small.run(activities.claimAttempt, {
      stage: { run: 'r', stage: 'phase-1', attempt: 2 },
      spec,
      warmupData: null,
      overrides: { 'reward.evidence': {} },
    });
    expect((await failureOf(claim)).message).toMatch(/reward\.evidence: a replay cannot change it/);
  });
});
