/** Weights for engines that did not make them: loaded instead of redoing steps, and rebuilt where they are not whole. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyRef } from '../../../activities/contract/index.js';
import { createActivities } from '../../../activities/index.js';
import { ensurePolicyLoaded } from '../../../activities/policies/index.js';
import type { handOn } from '../../../workers/hand-on.js';
import { FakeEngine } from '../../support/fake-engine.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

let small: SmallRun;
beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

/** The first steps of a run's first phase, each in two shards. */
async function steps(count: number, lora: object | null = null): Promise<PolicyRef[]> {
  const activities = createActivities(small.deps);
  const rl = { ...small.spec.rl, signal: { minEffectiveGroups: 1, onMissing: 'continue' } };
  const plan = await small.run(activities.prepareRun, { run: 'r', input: { ...small.spec, rl, lora } });
  let policy = await small.run(activities.importBase, { run: 'r', model: plan.model });
  const stage = { run: 'r', stage: 'phase-1', attempt: 1 };
  const [spec, data] = [plan.spec, plan.data.train];
  const { pool } = await small.run(activities.buildPool, { stage, spec, data, difficulties: [] });
  const made: PolicyRef[] = [];
  for (let step = 1; step <= count; step++) {
    const input = { stage, spec, data, policy, entry: step === 1, step };
    const round = { ...input, pool, refill: 0, cursor: 8 * step, count: 8 };
    const shards = [];
    for (const index of [0, 1]) {
      const { rollouts } = await small.run(activities.rollout, { ...round, shard: { index, of: 2 } });
      shards.push(rollouts);
    }
    const { rollouts } = await small.run(activities.gatherRollouts, { stage, step, refill: 0, shards });
    const { scores } = await small.run(activities.score, { stage, spec, data, step, refill: 0, rollouts });
    const rounds = [{ rollouts, scores }];
    ({ policy } = await small.run(activities.update, { ...input, rounds, skip: false, shards: 2 }));
    made.push(policy);
  }
  return made;
}

const weightsIn = () => small.store.list('store:runs/r/weights');
const folderOf = ({ name }: PolicyRef) => join(small.store.root, 'runs/r/weights', name);

/** What an engine that holds nothing does until it can sample from the policy, and the bits that it then has. */
async function helped(policy: PolicyRef): Promise<{ calls: string[]; sha256: string }> {
  const engine = new FakeEngine();
  await ensurePolicyLoaded({ ...small.deps, engine }, policy, 'weights', unsupervised(), { shards: 2 });
  const calls = engine.calls.filter(call => call !== 'status' && call !== 'fingerprint');
  return { calls, ...(await engine.call('fingerprint', {})) };
}

test.each([
  ['all weights', null],
  ['an adapter', {}],
])('are loaded and nothing is redone: %s', async (_what, lora) => {
  const [, , last] = (await steps(3, lora)) as [PolicyRef, PolicyRef, PolicyRef];
  expect(await helped(last)).toEqual({ calls: ['load'], sha256: last.sha256 });
});

test('are kept of the newest policy alone, and of none that has a snapshot', async () => {
  const [, last] = (await steps(2)) as [PolicyRef, PolicyRef];
  expect(await weightsIn()).toEqual([last.name]);
  const { snapshot } = createActivities(small.deps);
  await small.run(snapshot, { stage: { run: 'r', stage: 'phase-1', attempt: 1 }, policy: last, shards: 2 });
  expect(await weightsIn()).toEqual([]);
  expect(await helped(last)).toEqual({ calls: ['load'], sha256: last.sha256 });
});

test('that are gone are rebuilt from the log', async () => {
  const [, last] = (await steps(2)) as [PolicyRef, PolicyRef];
  await rm(folderOf(last), { recursive: true });
  const { calls, sha256 } = await helped(last);
  expect(sha256).toBe(last.sha256);
  expect(calls.filter(call => call === 'update').length).toBeGreaterThan(1);
});

test.each(['model.safetensors', 'config.json', 'state.json'])('whose %s is damaged are set aside', async file => {
  const [last] = (await steps(1)) as [PolicyRef];
  await writeFile(join(folderOf(last), file), 'damaged');
  expect((await helped(last)).sha256).toBe(last.sha256);
  expect(await weightsIn()).toEqual([`${last.name}.damaged`]);
});

test('do for sampling, and not to go on from: that is handed on, oftener the more take turns', async () => {
  const [last] = (await steps(1)) as [PolicyRef];
  const engine = new FakeEngine();
  const tries: number[] = [];
  const deps = {
    ...small.deps,
    engine,
    handOn: (...[, , shards]: Parameters<typeof handOn>) => void tries.push(shards!),
  };
  await ensurePolicyLoaded(deps, last, 'weights', unsupervised(), { shards: 4 });
  expect(tries).toEqual([]);
  await ensurePolicyLoaded(deps, last, 'as-trained', unsupervised(), { shards: 4 });
  expect(tries).toEqual([4]);
  expect(engine.calls).toContain('update');
});
