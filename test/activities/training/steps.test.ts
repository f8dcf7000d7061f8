import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActivityCancellationDetails, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { EngineRequestError } from '../../../activities/engine/protocol/index.js';
import { createActivities } from '../../../activities/index.js';
import { ensurePolicyLoaded } from '../../../activities/policies/policy.js';
import type { ArtifactRef } from '../../../activities/store/index.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;

beforeEach(async () => {
  small = await smallRun();
  activities = createActivities(small.deps);
});
afterEach(() => small.remove());

/** Prepares a run up to its first phase. */
async function prepared() {
  const plan = await small.run(activities.prepareRun, { run: 'r', input: small.spec });
  const base = await small.run(activities.importBase, { run: 'r', model: plan.model });
  const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
  const data = plan.data.train;
  const { pool } = await small.run(activities.buildPool, { stage, spec: plan.spec, data, difficulties: [] });
  const rollout = {
    ...{ stage, spec: plan.spec, data, pool, policy: base, entry: true },
    ...{ step: 1, refill: 0, cursor: 0, count: 4 },
  };
  return { plan, base, stage, data, pool, rollout };
}

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}

describe('prepareRun', () => {
  const prepare = (input: Parameters<typeof activities.prepareRun>[0]['input'], run = 'r') =>
    small.run(activities.prepareRun, { run, input });

  test('counts samples by band, in the model’s own tokens', async () => {
    const plan = await prepare(small.spec);
    const warmup = { warmup: 21, warmupLeftOut: 19 };
    expect(plan.counts).toEqual({ train: 40, beyondLastPhase: 0, bands: [21, 19], ...warmup, cut: 0, skipped: 0 });
    expect(plan.stages.map(stage => [stage.name, stage.attempt])).toEqual([
      ['warmup', 1],
      ['phase-1', 1],
      ['phase-2', 1],
    ]);
  });

  test('takes a preset with overrides', async () => {
    const { spec } = await prepare({ preset: 'small', overrides: { 'phases.0.steps': 9 } });
    expect(JSON.parse(await small.store.readText(spec)).phases[0].steps).toBe(9);
  });

  test.each<[string, string, (spec: SmallRun['spec']) => object]>([
    ['an empty phase', 'phases[0].maxTokens', spec => ({ ...spec, phases: [{ maxTokens: 5, steps: 1 }] })],
    ['an empty warm-up', 'warmup.data', spec => ({ ...spec, warmup: { ...spec.warmup, maxTokens: 3 } })],
    [
      'a context longer than the model’s',
      'phases[1].maxTokens',
      spec => ({ ...spec, phases: [spec.phases[0], { maxTokens: 80, steps: 1 }] }),
    ],
    [
      'an evaluation longer than the model’s context',
      'evaluation.maxInputTokens',
      spec => ({
        ...spec,
        evaluation: { sets: spec.evaluation.sets, maxInputTokens: 11, sampling: { maxNewTokens: 90 } },
      }),
    ],
    [
      'an evaluation that leaves no room for its questions',
      'evaluation.maxInputTokens',
      spec => ({ ...spec, evaluation: { ...spec.evaluation, maxInputTokens: 4 } }),
    ],
    [
      'training prompts that leave no room for their questions',
      'prompt.truncate.maxTokens',
      spec => ({ ...spec, prompt: { ...spec.prompt, truncate: { maxTokens: 4 } } }),
    ],
    [
      'an evaluation set that is trained on',
      'evaluation.sets[0].source',
      spec => ({ ...spec, evaluation: { sets: [{ ...spec.evaluation.sets[0], allowOverlap: [] }] } }),
    ],
    ['an unknown preset', 'preset', () => ({ preset: 'huge' })],
    ['overrides that are none', 'overrides', () => ({ preset: 'small', overrides: 3 })],
  ])('refuses %s', async (_, path, change) => {
    const failure = await failureOf(prepare(change(small.spec) as Record<string, unknown>));
    expect(failure).toMatchObject({ type: 'InvalidSpec', nonRetryable: true });
    expect(failure.message).toContain(`${path}: `);
    expect(failure.details?.[0]).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
    expect(await small.store.list('store:runs/r')).toEqual([]);
  });

  test('refuses a run name that could not be a folder', async () => {
    const failure = await failureOf(prepare(small.spec, '../up'));
    expect(failure.type).toBe('InvalidSpec');
    expect(failure.message).toContain('"../up"');
  });

  test('refuses malformed data for good, naming the place', async () => {
    await writeFile(join(small.folder, 'data.jsonl'), '{"question": 1}\n');
    const failure = await failureOf(prepare(small.spec));
    expect(failure).toMatchObject({ type: 'DataError', nonRetryable: true });
    expect(failure.message).toContain('data.jsonl');
  });
});

describe('every activity run twice', () => {
  test('gives the same result, and computes nothing the second time', async () => {
    const first = await driveRun(small);
    const before = small.engine.calls.length;
    expect(await driveRun(small)).toEqual(first);
    const worked = small.engine.calls.slice(before).filter(call => call !== 'status');
    expect(worked).toEqual([]);
  });

  test('on a new machine with the same store, too', async () => {
    const first = await driveRun(small);
    small.engine.forget();
    expect(await driveRun(small)).toEqual(first);
  });
});

describe('a policy', () => {
  const load = async (policy: Awaited<ReturnType<typeof driveRun>>['final'], label = 'again') => {
    const { store } = small;
    const ref = (await store.find('store:runs/run/spec.json'))!;
    const data = (await store.find('store:runs/run/data/set-held-out.jsonl'))!;
    const set = { name: 'held-out', data };
    return small.run(activities.evaluate, { run: 'run', spec: ref, policy, label, set });
  };

  test('whose snapshot is gone is rebuilt from the log, to the same bits', async () => {
    const { final } = await driveRun(small);
    const { rm } = await import('node:fs/promises');
    const checkpoints = join(small.store.root, 'runs/run/checkpoints');
    const { base } = await driveRun(small);
    for (const name of await small.store.list('store:runs/run/checkpoints')) {
      if (name !== base.name) await rm(join(checkpoints, name), { recursive: true });
    }
    small.engine.forget();
    const update = { ...final, uri: 'store:runs/run/phase-2/1/steps/3/update.json' };
    await load(update);
    const { sha256 } = await small.engine.call('fingerprint', {});
    expect(sha256).toBe(final.sha256);
    expect(small.engine.calls.filter(call => call === 'load').length).toBeGreaterThan(1);
  });

  test('whose log was changed is refused', async () => {
    const { final } = await driveRun(small);
    const { rm } = await import('node:fs/promises');
    // As an earlier version left it: what was published is not known.
    await rm(join(small.store.root, 'runs/run/phase-2/1/steps/3/.sums'), { recursive: true });
    await rm(join(small.store.root, 'runs/run/checkpoints', final.name), { recursive: true });
    const path = join(small.store.root, 'runs/run/phase-2/1/steps/3/update.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"clipLow": 0.2', '"clipLow": 0.3'));
    small.engine.forget();
    const failure = await failureOf(load({ ...final, uri: 'store:runs/run/phase-2/1/steps/3/update.json' }));
    expect(failure).toMatchObject({ type: 'DivergenceError', nonRetryable: true });
  });

  test('whose log is damaged waits for who makes it again: the uri is named, for the workflow', async () => {
    const { final } = await driveRun(small);
    const { rm } = await import('node:fs/promises');
    await rm(join(small.store.root, 'runs/run/checkpoints', final.name), { recursive: true });
    const uri = 'store:runs/run/phase-2/1/steps/3/update.json';
    const path = join(small.store.root, 'runs/run/phase-2/1/steps/3/update.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"clipLow": 0.2', '"clipLow": 0.3'));
    small.engine.forget();
    for (const _ of ['the first finds it', 'the second finds nothing']) {
      const failure = await failureOf(load({ ...final, uri }));
      expect(failure).toMatchObject({ type: 'CorruptArtifactError', nonRetryable: true, details: [uri] });
    }
    const before = await readFile(path, 'utf8').catch(() => null);
    expect(before).toBeNull();
    expect((await driveRun(small)).final).toEqual(final);
    expect(await small.store.find(uri)).not.toBeNull();
  });

  test('whose snapshot is damaged is made again from the log, what was damaged kept beside', async () => {
    const { final } = await driveRun(small);
    const checkpoint = join(small.store.root, 'runs/run/checkpoints', final.name);
    // Of the optimiser's state, which sampling has no need of, see below.
    const files = ['model.safetensors', 'config.json', 'state.json'];
    const whole = await Promise.all(files.map(file => readFile(join(checkpoint, file))));
    for (const [k, file] of files.entries()) {
      await writeFile(join(checkpoint, file), 'damaged');
      small.engine.forget();
      await load(final, `again-${k}`);
      expect(await small.engine.call('fingerprint', {})).toEqual({ sha256: final.sha256 });
      expect(await Promise.all(files.map(name => readFile(join(checkpoint, name))))).toEqual(whole);
    }
    const beside = (await small.store.list('store:runs/run/checkpoints')).filter(name => name.includes('damaged'));
    expect(beside).toEqual(['', '-2', '-3'].map(copy => `${final.name}.damaged${copy}`));
  });

  test('whose optimiser state is damaged is sampled from and begins afresh without it, and is made again where it is to go on', async () => {
    const { final } = await driveRun(small);
    const optimizer = join(small.store.root, 'runs/run/checkpoints', final.name, 'optimizer.safetensors');
    const whole = await readFile(optimizer);
    await writeFile(optimizer, 'damaged');
    const loaded = async (readiness: 'weights' | 'fresh' | 'as-trained') => {
      small.engine.forget();
      await ensurePolicyLoaded(small.deps, final, readiness, unsupervised());
      expect(await small.engine.call('fingerprint', {})).toEqual({ sha256: final.sha256 });
      return readFile(optimizer);
    };
    for (const readiness of ['weights', 'fresh'] as const)
      expect(await loaded(readiness)).toEqual(Buffer.from('damaged'));
    expect(await loaded('as-trained')).toEqual(whole);
  });

  test('whose base is damaged is imported again when the run is gone through again', async () => {
    const { base, final } = await driveRun(small);
    const weights = join(small.store.root, 'runs/run/checkpoints', base.name, 'model.safetensors');
    await writeFile(weights, 'x');
    small.engine.forget();
    const failure = await failureOf(load(base));
    expect(failure).toMatchObject({ type: 'CorruptArtifactError', details: [base.uri] });
    expect(failure.message).toContain(`${base.name}/model.safetensors`);
    expect((await driveRun(small)).final).toEqual(final);
    expect(await readFile(weights, 'utf8')).toBe('base weights');
  });
});

describe('failures', () => {
  test('of a dying engine are worth a retry, until they are not: those count, not attempts', async () => {
    const { rollout } = await prepared();
    const attempt = async (activityId: string, attempt: number) => {
      small.engine.dieAt = small.engine.calls.length;
      const env = new MockActivityEnvironment({ attempt, activityId }, { logger: new DefaultLogger('ERROR') });
      return failureOf(env.run(activities.rollout, rollout));
    };
    for (let time = 1; time < 10; time++) {
      expect(await attempt('one', 100 * time)).toMatchObject({ type: 'EngineLost', nonRetryable: false });
    }
    expect(await attempt('another', 1000)).toMatchObject({ type: 'EngineLost', nonRetryable: false });
    expect(await attempt('one', 1000)).toMatchObject({ type: 'EngineLost', nonRetryable: true });
  });

  test('of an engine that cannot read a snapshot that is whole, likewise', async () => {
    const { rollout } = await prepared();
    const { call } = small.engine;
    small.engine.forget();
    small.engine.call = async (operation, ...rest) => {
      if (operation === 'load') throw new EngineRequestError('config.json: cannot be read', 'bad-model');
      return call.call(small.engine, operation, ...rest) as never;
    };
    const attempt = () => {
      const env = new MockActivityEnvironment({ activityId: 'unreadable' }, { logger: new DefaultLogger('ERROR') });
      return failureOf(env.run(activities.rollout, rollout));
    };
    for (let time = 1; time < 10; time++) {
      expect(await attempt()).toMatchObject({ type: 'UnreadableSnapshot', nonRetryable: false });
    }
    expect(await attempt()).toMatchObject({ type: 'UnreadableSnapshot', nonRetryable: true });
  });

  test('of the mathematics are for good, and nothing is published', async () => {
    const { rollout, stage, data, plan, base } = await prepared();
    const { rollouts } = await small.run(activities.rollout, rollout);
    const { scores } = await small.run(activities.score, { stage, data, step: 1, refill: 0, rollouts });
    small.engine.notFinite = true;
    const input = { stage, spec: plan.spec, policy: base, entry: true, step: 1, rounds: [{ rollouts, scores }] };
    const failure = await failureOf(small.run(activities.update, { ...input, skip: false }));
    expect(failure).toMatchObject({ type: 'NotFinite', nonRetryable: true });
    expect(await small.store.list('store:runs/r/phase-1/1/steps/1')).not.toContain('update.json');
  });

  test('a result under the name of another policy’s is refused', async () => {
    const { rollout } = await prepared();
    await small.run(activities.rollout, rollout);
    const other = { ...rollout, policy: { ...rollout.policy, name: 'another' } };
    expect(await failureOf(small.run(activities.rollout, other))).toMatchObject({ type: 'DivergenceError' });
  });

  test('a stale attempt publishes nothing', async () => {
    const { rollout, stage, plan } = await prepared();
    const claim = { stage: { ...stage, attempt: 2 }, spec: plan.spec, warmupData: null, overrides: {} };
    await small.run(activities.claimAttempt, claim);
    expect(await failureOf(small.run(activities.rollout, rollout))).toMatchObject({
      type: 'StaleAttemptError',
      nonRetryable: true,
    });
    expect(await small.store.list('store:runs/r/phase-1/1')).toEqual([]);
  });
});

describe('cancellation', () => {
  const cancelled = async (details: ConstructorParameters<typeof ActivityCancellationDetails>[0]) => {
    const { rollout } = await prepared();
    small.engine.generateMs = 20_000;
    const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const beats: unknown[] = [];
    env.on('heartbeat', beat => beats.push(beat));
    setTimeout(() => env.cancel('CANCELLED', new ActivityCancellationDetails(details)), 1200);
    const asked = Date.now();
    const error: unknown = await env.run(activities.rollout, rollout).catch((error: unknown) => error);
    expect(Date.now() - asked).toBeLessThan(4000);
    expect(await small.store.list('store:runs/r/phase-1/1')).toEqual([]);
    return { error, beats };
  };

  test('is prompt, and publishes nothing', async () => {
    const { error, beats } = await cancelled({ cancelRequested: true });
    expect(error).toBeInstanceOf(CancelledFailure);
    expect(beats).toContainEqual(expect.objectContaining({ doing: 'sampling for step 1' }));
  });

  test('by a stopping worker hands the step back for another try', async () => {
    const { error } = await cancelled({ workerShutdown: true });
    expect(error).toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
  });
});

describe('a step', () => {
  test('is a function of its name: drawn again, its prompts and responses are the same', async () => {
    const { rollout } = await prepared();
    const read = async (ref: ArtifactRef) => small.store.readText(ref);
    const first = await read((await small.run(activities.rollout, rollout)).rollouts);
    const other = await smallRun();
    try {
      await mkdir(join(other.folder, 'elsewhere'), { recursive: true });
      const there = { ...small };
      small = other;
      activities = createActivities(small.deps);
      const again = await prepared();
      expect(await read((await small.run(activities.rollout, again.rollout)).rollouts)).toBe(first);
      small = there;
    } finally {
      await other.remove();
    }
  });

  test('goes through the whole pool before it draws a sample again', async () => {
    const { rollout } = await prepared();
    const { rollouts } = await small.run(activities.rollout, { ...rollout, count: 42 });
    const lines = (await small.store.readText(rollouts)).trim().split('\n');
    const ids = lines.map(line => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids.slice(0, 21)).size).toBe(21);
    expect(ids.slice(21).sort()).toEqual(ids.slice(0, 21).sort());
    expect(ids.slice(21)).not.toEqual(ids.slice(0, 21));
  });
});
