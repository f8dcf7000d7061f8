import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Round, UpdateRecord } from '../../activities/artifacts.js';
import { createActivities } from '../../activities/index.js';
import type { TrainStepInput } from '../../activities/train-step.js';
import { promptsToDraw } from '../../workflows/refills.js';
import { type SmallRun, smallRun } from '../support/small-run.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;

beforeEach(async () => {
  small = await smallRun();
  small.spec.rl = { ...small.spec.rl, ...{ maxRefills: 3 } };
  activities = createActivities(small.deps);
});
afterEach(() => small.remove());

/** The first step of the run's first phase. */
async function prepared(run = small, rl: object = {}): Promise<TrainStepInput> {
  const { prepareRun, importBase, buildPool } = createActivities(run.deps);
  const plan = await run.run(prepareRun, { run: 'r', input: { ...run.spec, rl: { ...run.spec.rl, ...rl } } });
  const policy = await run.run(importBase, { run: 'r', model: plan.model });
  const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
  const [spec, data] = [plan.spec, plan.data.train];
  const { pool } = await run.run(buildPool, { stage, spec, data, difficulties: [] });
  return { stage, spec, data, pool, policy, entry: true, step: 1, cursor: 0 };
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
  const at: TrainStepInput = { ...input, step: 2, cursor: 8 };
  const whole = await small.run(activities.trainStep, at);

  const other = await smallRun();
  try {
    other.spec.rl = small.spec.rl;
    const parts = createActivities(other.deps);
    const { cursor, pool, ...same } = { ...(await prepared(other)), step: 2, cursor: 8 };
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
    expect(result).toEqual({ ...updated, skipped: false, newTokens });
    // Each run has its data and base in a folder of its own, and in the store all the same bits.
    expect(await filesOf(small, 2)).toEqual(await filesOf(other, 2));
  } finally {
    await other.remove();
  }
});

test('asked for again, gives the same and computes nothing', async () => {
  const input = await prepared();
  const { updateSeconds: _, ...first } = await small.run(activities.trainStep, input);
  const before = small.engine.calls.length;
  expect(await small.run(activities.trainStep, input)).toMatchObject(first);
  expect(small.engine.calls.slice(before)).toEqual([]);
});

test.each(['rollouts-0.jsonl', 'scores-0.jsonl', 'update.json'])('makes %s again where it is damaged', async name => {
  const input = await prepared();
  const { updateSeconds: _, ...first } = await small.run(activities.trainStep, input);
  const whole = await filesOf(small);
  await writeFile(join(stepFolder(small), name), 'rubbish');
  expect(await small.run(activities.trainStep, input)).toMatchObject(first);
  expect(await filesOf(small)).toMatchObject(whole);
});

test('publishes its rounds while it goes on, and itself after them: what could not be published is made again', async () => {
  const input = await prepared();
  const { publishText } = small.store;
  const published: string[] = [];
  let full = true;
  small.store.publishText = async (uri, ...rest) => {
    if (full && uri.endsWith('scores-0.jsonl')) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    published.push(uri.slice(uri.lastIndexOf('/') + 1));
    return publishText.call(small.store, uri, ...rest);
  };
  await expect(small.run(activities.trainStep, input)).rejects.toMatchObject({ type: 'Storage', nonRetryable: false });
  expect(published).toEqual(['rollouts-0.jsonl']);
  full = false;
  await small.run(activities.trainStep, input);
  expect(published[1]).toBe('scores-0.jsonl');
  expect(published.at(-1)).toBe('update.json');
});

test('without signal is logged, and leaves the policy alone', async () => {
  const input = await prepared(small, { maxRefills: 0, signal: { minEffectiveGroups: 4, onMissing: 'continue' } });
  let k = 0;
  let result = await small.run(activities.trainStep, input);
  while (!result.skipped && k++ < 10) {
    const { policy, step, cursor } = { policy: result.policy, step: k + 1, cursor: 4 * k };
    result = await small.run(activities.trainStep, { ...input, entry: false, policy, step, cursor });
  }
  expect(result).toMatchObject({ skipped: true, metrics: null, updateSeconds: 0 });
  const record = JSON.parse((await filesOf(small, k + 1))['update.json']!) as UpdateRecord;
  expect(record).toMatchObject({ skipped: 'no-signal', result: record.inputs.parent });
});

test('of a stale attempt publishes nothing', async () => {
  const input = await prepared();
  const { stage, spec } = input;
  const claim = { stage: { ...stage, attempt: 2 }, spec, warmupData: null, overrides: {} };
  await small.run(activities.claimAttempt, claim);
  await expect(small.run(activities.trainStep, input)).rejects.toMatchObject({ type: 'StaleAttemptError' });
  expect(await small.store.list('store:runs/r/phase-1/1')).toEqual([]);
});
