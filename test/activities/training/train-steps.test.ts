import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Round, UpdateRecord } from '../../../activities/artifacts/formats.js';
import { promptsToDraw } from '../../../activities/contract/refills.js';
import { createActivities } from '../../../activities/index.js';
import type { TrainStepsInput } from '../../../activities/training/train-steps.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;

beforeEach(async () => {
  small = await smallRun();
  small.spec.rl = { ...small.spec.rl, ...{ maxRefills: 3 } };
  activities = createActivities(small.deps);
});
afterEach(() => small.remove());

/** The first step of the run's first phase. */
async function prepared(run = small, rl: object = {}): Promise<TrainStepsInput> {
  const { prepareRun, importBase, buildPool } = createActivities(run.deps);
  const plan = await run.run(prepareRun, { run: 'r', input: { ...run.spec, rl: { ...run.spec.rl, ...rl } } });
  const policy = await run.run(importBase, { run: 'r', model: plan.model });
  const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
  const [spec, data] = [plan.spec, plan.data.train];
  const { pool } = await run.run(buildPool, { stage, spec, data, difficulties: [] });
  return { stage, spec, data, pool, policy, entry: true, step: 1, to: 1, cursor: 0, seconds: 60 };
}

const stepFolder = (run: SmallRun, step = 1) => join(run.store.root, `runs/r/phase-1/1/steps/${step}`);

async function filesOf(run: SmallRun, step = 1): Promise<Record<string, string>> {
  const names = (await readdir(stepFolder(run, step))).filter(name => !name.startsWith('.')).sort();
  const texts = await Promise.all(names.map(name => readFile(join(stepFolder(run, step), name), 'utf8')));
  return Object.fromEntries(names.map((name, k) => [name, texts[k]!]));
}

test('comes to what its parts come to, with as many rounds as they need', async () => {
  const input = await prepared();
  // A step that needs several rounds.
  const at: TrainStepsInput = { ...input, step: 2, to: 2, cursor: 8 };
  const whole = await small.run(activities.trainSteps, at);

  const other = await smallRun();
  try {
    other.spec.rl = small.spec.rl;
    const parts = createActivities(other.deps);
    const { cursor, pool, to: _to, seconds: _seconds, ...same } = { ...(await prepared(other)), step: 2, cursor: 8 };
    const { stage, spec, data } = same;
    const rounds: Round[] = [];
    const seen = { drawn: 0, effective: 0 };
    let newTokens = 0;
    while (rounds.length <= 3 && seen.effective < 4) {
      const round = { refill: rounds.length, cursor: cursor + seen.drawn, count: promptsToDraw(4, seen) };
      const sampled = await other.run(parts.rollout, { ...same, pool, ...round });
      const { rollouts } = sampled;
      const scored = await other.run(parts.score, { stage, spec, data, step: 2, refill: round.refill, rollouts });
      rounds.push({ rollouts, scores: scored.scores });
      seen.drawn += scored.groups;
      seen.effective += scored.effective;
      newTokens += sampled.newTokens;
    }
    const updated = await other.run(parts.update, { ...same, rounds, skip: false });

    expect(rounds.length).toBeGreaterThan(1);
    const { updateSeconds: _, ...result } = whole;
    expect(result).toEqual({ ...updated, step: 2, drawn: seen.drawn, skipped: false, newTokens });
    // Each run has its data and base in a folder of its own, and in the store all the same bits.
    expect(await filesOf(small, 2)).toEqual(await filesOf(other, 2));
  } finally {
    await other.remove();
  }
});

test('asked for again, gives the same and computes nothing', async () => {
  const input = await prepared();
  const { updateSeconds: _, ...first } = await small.run(activities.trainSteps, input);
  const before = small.engine.calls.length;
  expect(await small.run(activities.trainSteps, input)).toMatchObject(first);
  expect(small.engine.calls.slice(before)).toEqual([]);
});

test.each(['rollouts-0.jsonl', 'scores-0.jsonl', 'update.json'])('makes %s again where it is damaged', async name => {
  const input = await prepared();
  const { updateSeconds: _, ...first } = await small.run(activities.trainSteps, input);
  const whole = await filesOf(small);
  await writeFile(join(stepFolder(small), name), 'rubbish');
  expect(await small.run(activities.trainSteps, input)).toMatchObject(first);
  expect(await filesOf(small)).toMatchObject(whole);
});

test('publishes its rounds while it goes on, and itself after them: what could not be published is made again', async () => {
  const input = await prepared();
  const { publishText } = small.store;
  const published: string[] = [];
  let full = true;
  small.engine.generateMs = 100;
  small.store.publishText = async (uri, ...rest) => {
    if (full && uri.endsWith('scores-0.jsonl')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    published.push(uri.slice(uri.lastIndexOf('/') + 1));
    return publishText.call(small.store, uri, ...rest);
  };
  await expect(small.run(activities.trainSteps, input)).rejects.toMatchObject({ type: 'Storage', nonRetryable: false });
  expect(published).toEqual(['rollouts-0.jsonl']);
  // Known before the gradient was taken, which would have been in vain.
  expect(small.engine.calls).not.toContain('update');
  full = false;
  await small.run(activities.trainSteps, input);
  expect(published[1]).toBe('scores-0.jsonl');
  expect(published.at(-1)).toBe('update.json');
});

describe('several steps', () => {
  test('come to what they come to one by one', async () => {
    const input = await prepared();
    const one = await small.run(activities.trainSteps, input);
    const at = { policy: one.policy, entry: false, cursor: one.drawn, step: 2, to: 2 };
    const two = await small.run(activities.trainSteps, { ...input, ...at });
    const other = await smallRun();
    try {
      other.spec.rl = small.spec.rl;
      const both = await other.run(createActivities(other.deps).trainSteps, { ...(await prepared(other)), to: 2 });
      const { policy, counts, metrics } = two;
      expect(both).toMatchObject({ policy, counts, metrics, step: 2, skipped: false });
      expect([both.drawn, both.newTokens]).toEqual([one.drawn + two.drawn, one.newTokens + two.newTokens]);
      for (const step of [1, 2]) expect(await filesOf(small, step)).toEqual(await filesOf(other, step));
    } finally {
      await other.remove();
    }
  });

  test('log one while the next is sampled: an engine that forgets the policy meanwhile has it made again', async () => {
    const input = { ...(await prepared()), to: 3 };
    const { updateSeconds: _, ...undisturbed } = await small.run(activities.trainSteps, input);
    const other = await smallRun();
    try {
      other.spec.rl = small.spec.rl;
      const { publishText } = other.store;
      other.store.publishText = async (uri, ...rest) => {
        await sleep(20);
        return publishText.call(other.store, uri, ...rest);
      };
      const { call } = other.engine;
      let forgot = false;
      other.engine.call = async (operation, ...rest) => {
        const answer = await call.call(other.engine, operation, ...rest);
        if (operation === 'fingerprint' && !forgot) other.engine.forget();
        forgot ||= operation === 'fingerprint';
        return answer as never;
      };
      const again = { ...(await prepared(other)), to: 3 };
      expect(await other.run(createActivities(other.deps).trainSteps, again)).toMatchObject(undisturbed);
      const loads = ({ engine }: SmallRun) => engine.calls.filter(call => call === 'load').length;
      expect(loads(other)).toBe(loads(small) + 1);
      for (const step of [1, 2, 3]) expect(await filesOf(small, step)).toEqual(await filesOf(other, step));
    } finally {
      await other.remove();
    }
  });

  test('end with the one with which the time is up', async () => {
    const input = await prepared();
    small.engine.generateMs = 600;
    const { step } = await small.run(activities.trainSteps, { ...input, to: 3, seconds: 0.5 });
    expect(step).toBe(1);
    // What an earlier attempt made is gone through in no time.
    expect((await small.run(activities.trainSteps, { ...input, to: 2, seconds: 0.5 })).step).toBe(2);
  });

  test('end with one that has no signal, which is logged and leaves the policy alone', async () => {
    const signal = { minEffectiveGroups: 4, onMissing: 'continue' };
    const input = await prepared(small, { maxRefills: 0, signal });
    const { step, skipped, metrics, policy } = await small.run(activities.trainSteps, { ...input, to: 50 });
    expect({ skipped, metrics }).toEqual({ skipped: true, metrics: null });
    expect(step).toBeLessThan(50);
    expect(await small.store.list('store:runs/r/phase-1/1/steps')).toHaveLength(step);
    const record = JSON.parse((await filesOf(small, step))['update.json']!) as UpdateRecord;
    expect(record).toMatchObject({ skipped: 'no-signal', result: record.inputs.parent });
    expect(policy).toEqual(record.inputs.parent);
  });
});

test('of a stale attempt publishes nothing', async () => {
  const input = await prepared();
  const { stage, spec } = input;
  const claim = { stage: { ...stage, attempt: 2 }, spec, warmupData: null, overrides: {} };
  await small.run(activities.claimAttempt, claim);
  await expect(small.run(activities.trainSteps, input)).rejects.toMatchObject({ type: 'StaleAttemptError' });
  expect(await small.store.list('store:runs/r/phase-1/1')).toEqual([]);
});
