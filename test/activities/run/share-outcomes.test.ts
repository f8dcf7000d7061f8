import type { PolicyRef } from '../../../activities/contract/index.js';
import { createActivities } from '../../../activities/index.js';
import { outcomesOf, type RunPlan, type StageOutcome } from '../../../activities/run/index.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
let activities: ReturnType<typeof createActivities>;
beforeAll(async () => {
  small = await smallRun();
  activities = createActivities(small.deps);
  await small.run(activities.prepareStudy, { study: 'trial', input: STUDY() });
});
afterAll(() => small.remove());

const VARIANTS: Record<string, Record<string, unknown>> = {
  full: {},
  // What no stage of training depends on.
  asked: { 'evaluation.samples': 2 },
  // From phase 2 on.
  later: { 'phases.1.steps': 5 },
  // Phase 1 draws from nothing before it.
  plain: { 'retrospective.enabled': false },
  faster: { 'rl.optimizer.learningRate': 2e-4 },
  warmer: { 'warmup.epochs': 2 },
  stricter: { 'reward.scorer': 'qwenlong-l1' },
  shorter: { 'phases.0.maxTokens': 35 },
  packed: { 'engine.microBatchTokens': 512 },
};
const STUDY = () => ({
  base: { ...small.spec, evaluation: { ...small.spec.evaluation, sampling: { temperature: 0, topP: 1 } } },
  variants: Object.entries(VARIANTS).map(([name, set]) => ({ name, set })),
  seeds: [1, 2],
});

async function begun(variant: string, seed = 1): Promise<{ run: string; plan: RunPlan; base: PolicyRef }> {
  const run = `trial.${variant}.${seed}`;
  const plan = await small.run(activities.prepareRun, { run, input: { study: 'trial', variant, seed } });
  return { run, plan, base: await small.run(activities.importBase, { run, model: plan.model, share: true }) };
}

async function find(variant: string, name: string, { seed = 1, policy }: { seed?: number; policy?: PolicyRef } = {}) {
  const { run, plan, base } = await begun(variant, seed);
  const { spec, data } = plan;
  return small.run(activities.findOutcome, { run, spec, data, policy: policy ?? base, name, difficulties: [] });
}
const keyOf = async (...given: Parameters<typeof find>) => (await find(...given)).key;

test.each([
  ['warmup', ['asked', 'later', 'plain', 'faster', 'stricter', 'shorter'], ['warmer', 'packed']],
  ['phase-1', ['asked', 'later', 'plain', 'warmer'], ['faster', 'stricter', 'shorter', 'packed']],
  ['phase-2', ['asked', 'plain', 'warmer'], ['later', 'faster', 'stricter', 'shorter', 'packed']],
  ['evaluation.base', ['later', 'plain', 'faster', 'warmer', 'shorter', 'packed'], ['asked', 'stricter']],
])('%s is the same for those that decide it alike, and for no others', async (name, same, others) => {
  const key = await keyOf('full', name);
  for (const variant of same) expect([variant, await keyOf(variant, name)]).toEqual([variant, key]);
  for (const variant of others) expect([variant, await keyOf(variant, name)]).not.toEqual([variant, key]);
});

test('another seed trains otherwise, but answers greedily alike', async () => {
  expect(await keyOf('full', 'warmup', { seed: 2 })).not.toBe(await keyOf('full', 'warmup'));
  expect(await keyOf('full', 'evaluation.base', { seed: 2 })).toBe(await keyOf('full', 'evaluation.base'));
});

test('another policy to begin with, or another engine, makes another', async () => {
  const key = await keyOf('full', 'phase-1');
  const { base } = await begun('full');
  expect(await keyOf('full', 'phase-1', { policy: { ...base, sha256: 'other' } })).not.toBe(key);
  const numerics = { sha256: 'of another processor', provider: 'cpu', processor: 'other' };
  const elsewhere = createActivities({ ...small.deps, numerics } as typeof small.deps);
  const { run, plan } = await begun('full');
  const ask = { run, spec: plan.spec, data: plan.data, policy: base, name: 'phase-1', difficulties: [] };
  expect((await small.run(elsewhere.findOutcome, ask)).key).not.toBe(key);
});

test('the base is imported once, and data of equal content lies once', async () => {
  const [full, later] = [await begun('full'), await begun('later', 2)];
  expect(later.base).toEqual(full.base);
  expect(later.plan.data.train).toEqual(full.plan.data.train);
  expect((await outcomesOf(small.store, later.run)).map(({ name, of }) => [name, of])).toContainEqual([
    'base',
    full.base.uri.split('/')[1],
  ]);
});

test('what is registered is found by others, until what it names is gone', async () => {
  const { run, base } = await begun('full');
  const { key } = await find('full', 'warmup');
  const difficulty = await small.store.publishText(`store:runs/${run}/difficulty.json`, '{}');
  const result: StageOutcome = { policy: base, steps: 3, difficulty };
  await small.run(activities.shareOutcome, { run, key, name: 'warmup', seconds: 7, result });
  const { known } = await find('later', 'warmup');
  expect(known).toMatchObject({ of: run, name: 'warmup', seconds: 7, result });
  expect((await outcomesOf(small.store, 'trial.later.1')).find(({ name }) => name === 'warmup')).toEqual(known);

  await small.store.remove(difficulty.uri);
  expect((await find('plain', 'warmup')).known).toBeNull();
});
