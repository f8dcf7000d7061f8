import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DifficultyRecord, Pool, UpdateRecord } from '../../activities/artifacts/formats.js';
import {
  type CurriculumResult,
  type EvaluationProgress,
  type Progress,
  TASK_QUEUE,
} from '../../activities/contract/index.js';
import { readJson } from '../../activities/store/index.js';
import { curriculum } from '../../workflows/index.js';
import { FAULTS, FakeChat } from '../support/fake-chat.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;
/** What the small run comes to when nothing disturbs it. */
let undisturbed: CurriculumResult;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
  undisturbed = await (await start('undisturbed')).result();
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await small.remove();
});

type Handle = WorkflowHandle<typeof curriculum>;

function start(workflowId: string, input: Parameters<typeof curriculum>[0] = small.spec): Promise<Handle> {
  return server.env.client.workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [input] });
}

const progressOf = (handle: Handle) => handle.query<Progress>('progress');
const stageOf = async (handle: Handle, name: string) =>
  (await progressOf(handle)).stages.find(stage => stage.name === name);

describe('an undisturbed run', () => {
  test('goes through warm-up and both phases to a policy that is in the store', async () => {
    expect(undisturbed.stages.map(({ name, steps }) => [name, steps])).toEqual([
      ['warmup', 3],
      ['phase-1', 3],
      ['phase-2', 3],
    ]);
    expect(undisturbed.policy).toEqual(undisturbed.stages.at(-1)!.policy);
    const folder = await small.store.localFolder(undisturbed.policy.uri);
    const weights = await readFile(join(folder, 'model.safetensors'));
    expect(createHash('sha256').update(weights).digest('hex')).toBe(undisturbed.policy.sha256);
  });

  test('has a row for each policy that was to be evaluated', () => {
    expect(undisturbed.evaluations.map(({ policy, set, items }) => [policy, set, items])).toEqual([
      ['base', 'held-out', 5],
      ['final', 'held-out', 5],
    ]);
  });

  test('knows how many questions an evaluation of its own has', async () => {
    const handle = server.env.client.workflow.getHandle('undisturbed/evaluation/base');
    const { sets } = await handle.query<EvaluationProgress>('progress');
    expect(sets).toEqual([{ name: 'held-out', state: 'done', done: 5, total: 5 }]);
  });

  test('says at the end how every stage went', async () => {
    const { state, stages, advice, policy } = await progressOf(server.env.client.workflow.getHandle('undisturbed'));
    expect({ state, advice, policy }).toEqual({ state: 'done', advice: null, policy: undisturbed.policy });
    expect(stages.map(({ name, state }) => [name, state])).toEqual([
      ['evaluation/base', 'done'],
      ['warmup', 'done'],
      ['phase-1', 'done'],
      ['phase-2', 'done'],
      ['evaluation/final', 'done'],
    ]);
    expect(stages[3]!.latest).toMatchObject({ step: 3, steps: 3, effectiveGroups: expect.any(Number) });
  });

  test('phase 2 draws from its own band and from what phase 1 found difficult', async () => {
    const load = async <T>(uri: string) => readJson<T>(small.store, (await small.store.find(uri))!);
    const { samples } = await load<DifficultyRecord>('store:runs/undisturbed/phase-1/1/difficulty.json');
    const pool = await load<Pool>('store:runs/undisturbed/pools/phase-2.json');
    const carried = pool.entries.filter(entry => entry.origin === 'carried');
    expect(pool.counts).toEqual({ band: 19, carried: 6, candidates: samples.length });
    for (const { index, meanReward } of carried) {
      expect(samples.find(sample => sample.index === index)?.meanReward).toBe(meanReward);
    }
  });

  test('asked to, phase 2 first has what could be carried answered again, at its own length', async () => {
    const spec = { ...small.spec, retrospective: { remeasure: { responses: 3 } } };
    await (await start('again', spec)).result();
    const load = async <T>(uri: string) => readJson<T>(small.store, (await small.store.find(uri))!);
    const { samples: before } = await load<DifficultyRecord>('store:runs/again/phase-1/1/difficulty.json');
    const { samples } = await load<DifficultyRecord>('store:runs/again/phase-2/1/again/difficulty.json');
    expect(samples.map(({ id, responses }) => [id, responses])).toEqual(before.map(({ id }) => [id, 3]));
    expect(samples).not.toEqual(before);
    const pool = await load<Pool>('store:runs/again/pools/phase-2.json');
    for (const { index, origin, meanReward } of pool.entries)
      if (origin === 'carried') expect(samples.find(sample => sample.index === index)!.meanReward).toBe(meanReward);
    await replay(server, 'again');
  });

  test('its history replays, and those of its stages', async () => {
    for (const id of ['undisturbed', 'undisturbed/warmup/1', 'undisturbed/phase-1/1', 'undisturbed/evaluation/base']) {
      await replay(server, id);
    }
  });

  test('started again under the same name, it ends at once with the same result, and computes nothing', async () => {
    const before = small.engine.calls.length;
    expect(await (await start('undisturbed')).result()).toEqual(undisturbed);
    const calls = small.engine.calls.slice(before);
    expect(calls.filter(call => ['sft', 'update', 'generate', 'save'].includes(call))).toEqual([]);
  });
});

describe('snapshots', () => {
  /** A run with these, and what of its snapshots is left. */
  async function runWith(workflowId: string, checkpoints: Record<string, unknown>) {
    const before = small.engine.calls.length;
    const result = await (await start(workflowId, { ...small.spec, checkpoints })).result();
    const written = small.engine.calls.slice(before).filter(call => call === 'save').length;
    const left = await small.store.list(`store:runs/${workflowId}/checkpoints`);
    return { result, written, left };
  }
  /** The base and what each of the three stages ends with. */
  const LASTING = 4;

  test('by their cost: none within a stage where failures are far apart, and the same bits', async () => {
    const { result, written, left } = await runWith('far-apart', { meanTimeBetweenFailures: 1e6 });
    expect(result.policy.sha256).toBe(undisturbed.policy.sha256);
    expect([written, left.length]).toEqual([LASTING, LASTING]);
    for (const id of ['far-apart/warmup/1', 'far-apart/phase-2/1']) await replay(server, id);
  });

  test('by their cost: after every step where failures are closer than steps, of which none outlives its use', async () => {
    const { result, written, left } = await runWith('close', { meanTimeBetweenFailures: 1e-12, keep: 1 });
    expect(result.policy.sha256).toBe(undisturbed.policy.sha256);
    // Two within each stage of three steps; the third is its end.
    expect(written).toBe(LASTING + 3 * 2);
    const stages = result.stages.map(({ policy }) => policy.name);
    expect(left).toEqual(expect.arrayContaining(stages));
    expect(left).toHaveLength(LASTING);
    for (const id of ['close', 'close/warmup/1', 'close/phase-2/1']) await replay(server, id);
  });

  test('set otherwise, a finished run is still that run', async () => {
    expect(await (await start('close', small.spec)).result()).toMatchObject({
      policy: { name: undisturbed.policy.name },
    });
  });
});

async function failure(workflowId: string, input: Record<string, unknown>): Promise<ApplicationFailure> {
  const handle = await start(workflowId, input);
  const error: unknown = await handle.result().catch((error: unknown) => error);
  const cause = error instanceof WorkflowFailedError ? error.cause?.cause : error;
  if (!(cause instanceof ApplicationFailure)) throw error;
  return cause;
}

describe('a run with a judge', () => {
  test('says in each step what was asked, and goes on when the judge is away', async () => {
    const fake = await new FakeChat().start();
    fake.reply = () => '[[NO]]';
    const judge = { url: fake.url, model: 'm', retrySeconds: 0, concurrency: 1 };
    const { policies: _, ...evaluation } = small.spec.evaluation;
    const handle = await start('judged', {
      ...small.spec,
      evaluation: { ...evaluation, sets: [] },
      reward: { judge },
      phases: [{ maxTokens: 60, steps: 2 }],
      rl: { ...small.spec.rl, maxRefills: 0, signal: { onMissing: 'continue' } },
    });
    await until(async () => Boolean((await stageOf(handle, 'phase-1'))?.latest));
    fake.always = FAULTS.overloaded;
    await handle.result();
    const counts = await Promise.all(
      [1, 2].map(async step => {
        const uri = `store:runs/judged/phase-1/1/steps/${step}/update.json`;
        return (await readJson<UpdateRecord>(small.store, (await small.store.find(uri))!)).counts!;
      }),
    );
    expect(counts[0]!.judge!.asked).toBeGreaterThan(0);
    expect(counts[0]!.drawn).toBe(4);
    const { latest } = (await stageOf(handle, 'phase-1'))!;
    expect(latest).toMatchObject({ step: 2, unscoredGroups: counts[1]!.unscored, judge: counts[1]!.judge });
    await fake.stop();
    await replay(server, 'judged/phase-1/1');
  });
});

describe('a spec that is wrong', () => {
  test('is refused by the first activity, with every wrong path', async () => {
    const { type, nonRetryable, message } = await failure('wrong', {
      ...small.spec,
      seed: 'one',
      phases: [{ maxTokens: 40, steps: 0, rl: { groupSize: 1 } }],
      colour: 'blue',
    });
    expect({ type, nonRetryable }).toEqual({ type: 'InvalidSpec', nonRetryable: true });
    for (const path of ['seed:', 'phases[0].steps:', 'phases[0].rl.groupSize:', 'colour:']) {
      expect(message).toContain(path);
    }
    expect(await small.store.list('store:runs/wrong')).toEqual([]);
  });

  test('another spec under the name of a run is refused, with what differs', async () => {
    const { type, message } = await failure('undisturbed', { ...small.spec, seed: 8 });
    expect(type).toBe('InvalidSpec');
    expect(message).toContain('seed: differs from the run "undisturbed"');
  });
});

describe('pause and resume', () => {
  test('take effect between steps, and are idempotent', async () => {
    small.engine.generateMs = 100;
    const began = Date.now();
    const handle = await start('paused');
    await until(async () => Boolean((await stageOf(handle, 'phase-1'))?.latest));
    expect(await handle.executeUpdate('pause')).toBe('paused');
    const paused = Date.now();
    expect(await handle.executeUpdate('pause')).toBe('paused');
    await engineQuiet(); // the step in hand has ended
    expect((await progressOf(handle)).stages.at(-1)!.state).toBe('waiting');
    expect((await progressOf(handle)).state).toBe('paused');

    small.engine.generateMs = 0;
    const resumed = Date.now();
    expect(await handle.executeUpdate('resume')).toBe('running');
    expect(await handle.executeUpdate('resume')).toBe('running');
    const { policy, stages } = await handle.result();
    expect(policy.sha256).toBe(undisturbed.policy.sha256);
    // What a stage took is time at work.
    const atWork = stages.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(atWork).toBeLessThan((Date.now() - began - (resumed - paused)) / 1000);
  });
});

describe('cancelling', () => {
  test('ends promptly; started again, the run goes on and ends with the same weights', async () => {
    const handle = await start('cancelled');
    await until(async () => (await stageOf(handle, 'phase-2'))?.state === 'running');
    small.engine.generateMs = 30_000;
    await until(async () => small.engine.calls.at(-1) === 'generate');
    const asked = Date.now();
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('cancelled');
    expect(Date.now() - asked).toBeLessThan(5000);

    small.engine.generateMs = 0;
    const before = small.engine.calls.length;
    const result = await (await start('cancelled')).result();
    expect(result.policy).toEqual({
      ...undisturbed.policy,
      uri: undisturbed.policy.uri.replace('undisturbed', 'cancelled'),
    });
    // Of the stages before, nothing was trained again.
    expect(small.engine.calls.slice(before).filter(call => call === 'sft')).toEqual([]);
  });
});

describe('a branch', () => {
  test('begins with a phase of a finished run, and with nothing changed ends with the same bits', async () => {
    const before = small.engine.calls.length;
    const result = await (await start('branch', { from: 'undisturbed/phase-2' })).result();
    expect(result.policy.sha256).toBe(undisturbed.policy.sha256);
    expect(result.policy.name).toBe(undisturbed.policy.name);
    expect(result.stages.map(stage => stage.name)).toEqual(['phase-2']);
    expect(small.engine.calls.slice(before)).not.toContain('sft');
    await replay(server, 'branch');
  });

  test('with other settings it goes another way; a branch of it begins where it says', async () => {
    const overrides = { 'phases.1.rl.optimizer.learningRate': 1e-5 };
    const result = await (await start('warmer', { from: 'undisturbed/phase-2', overrides })).result();
    expect(result.policy.sha256).not.toBe(undisturbed.policy.sha256);
    const again = await (await start('warmer-too', { from: 'warmer/phase-2' })).result();
    expect(again.policy.sha256).toBe(result.policy.sha256);
  });

  test.each([
    ['undisturbed/phase-9', {}, 'phases 1 to 2'],
    ['nowhere/phase-1', {}, 'no run "nowhere"'],
    ['undisturbed', {}, 'expected "RUN/phase-K"'],
    ['warmer/phase-1', {}, 'itself begins with phase-2: branch off undisturbed instead'],
    ['undisturbed/phase-2', { model: 'x' }, 'overrides["model"]'],
  ])('from %s with %j is refused', async (from, overrides, message) => {
    expect((await failure('refused-branch', { from, overrides })).message).toContain(message);
  });
});

describe('a phase that fails for good', () => {
  test('waits for a replay, refuses a wrong one, and goes on with new settings', async () => {
    small.engine.notFinite = true;
    const handle = await start('replayed');
    await until(async () => (await progressOf(handle)).state === 'awaiting-replay');
    const { advice } = await progressOf(handle);
    expect(advice).toContain('the loss is NaN');
    expect(advice).toContain('--name replayPhase');
    expect(await stageOf(handle, 'phase-1')).toMatchObject({ state: 'failed', error: 'the loss is NaN' });

    const refused = async (...args: [unknown]) => {
      const error = await handle.executeUpdate('replayPhase', { args }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
      return (error as WorkflowUpdateFailedError).cause?.message;
    };
    expect(await refused({ phase: 2 })).toContain('Expected {"phase": 1');
    expect(await refused({ phase: 1, overrides: { 'rl.groupSize': 1 } })).toContain('phases[0].rl.groupSize');
    expect(await refused({ phase: 1, overrides: { model: 'x' } })).toContain('model: a replay cannot change it');

    small.engine.notFinite = false;
    const overrides = { 'rl.optimizer.learningRate': 1e-5 };
    expect(await handle.executeUpdate('replayPhase', { args: [{ phase: 1, overrides }] })).toEqual({
      phase: 1,
      attempt: 2,
    });
    const result = await handle.result();
    expect(result.policy.sha256).not.toBe(undisturbed.policy.sha256);
    expect(await stageOf(handle, 'phase-1')).toMatchObject({ state: 'done', attempt: 2 });
    await replay(server, 'replayed');
  });

  test('a phase without signal stops, and says so loudly', async () => {
    small.engine.monotonous = true;
    const handle = await start('silent');
    await until(async () => (await progressOf(handle)).state === 'awaiting-replay');
    expect((await progressOf(handle)).advice).toContain('phase-1 has no signal to learn from: in 3 steps in a row');
    expect(small.engine.calls.slice(-20)).not.toContain('update');
    small.engine.monotonous = false;
    await handle.executeUpdate('replayPhase', { args: [{ phase: 1 }] });
    await handle.result();
  });
});

/** Waits until the engine has not been called for a second; a run that goes on calls it ten times as often. */
async function engineQuiet(): Promise<void> {
  for (let calls = -1; calls !== small.engine.calls.length; ) {
    calls = small.engine.calls.length;
    await sleep(1000);
  }
}

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
