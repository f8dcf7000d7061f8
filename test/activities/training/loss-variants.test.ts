/** Runs whose loss needs more than the rollouts: a reference policy, or the trainer's own log-probabilities. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpdateRecord } from '../../../activities/artifacts/formats.js';
import { createActivities } from '../../../activities/index.js';
import { validateSpec } from '../../../activities/spec/index.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

const runs: SmallRun[] = [];
afterAll(() => Promise.all(runs.map(run => run.remove())));

async function withRl(rl: object, over: object = {}): Promise<SmallRun> {
  const run = await smallRun();
  runs.push(run);
  Object.assign(run.spec.rl, rl);
  Object.assign(run.spec, over);
  if (run.spec.warmup) run.spec.warmup.batchSize = 16;
  for (const phase of run.spec.phases) phase.steps = 2;
  return run;
}

const BOTH = { kl: { coefficient: 0.1 }, importanceCap: 2 };

async function record(run: SmallRun, stage: string, step: number): Promise<UpdateRecord> {
  const path = join(run.store.root, 'runs/run', stage, '1/steps', String(step), 'update.json');
  return JSON.parse(await readFile(path, 'utf8'));
}

test('every phase is held near the policy that RL started from: the warm-up’s last', async () => {
  const run = await withRl(BOTH);
  const { sft } = await driveRun(run);
  for (const [stage, step] of [
    ['phase-1', 1],
    ['phase-1', 2],
    ['phase-2', 1],
    ['phase-2', 2],
  ] as const) {
    const { inputs } = await record(run, stage, step);
    expect(inputs.reference).toMatchObject({ name: sft.name, sha256: sft.sha256 });
    expect(inputs.settings).toMatchObject({ loss: BOTH });
  }
  // Kept in memory from update to update of a phase.
  expect(run.engine.calls.filter(call => call === 'reference').length).toBeLessThanOrEqual(3);
  // Scored once a step, not once an update.
  expect(run.engine.calls.filter(call => call === 'score')).toHaveLength(4);
});

test('without a warm-up it is the base; a phase may have it alone', async () => {
  const run = await withRl({}, { warmup: null });
  Object.assign(run.spec.phases[1]!, { rl: { kl: { coefficient: 0.1 } } });
  const { base } = await driveRun(run);
  expect((await record(run, 'phase-1', 2)).inputs).not.toHaveProperty('reference');
  expect((await record(run, 'phase-2', 1)).inputs.reference).toEqual(base);
  expect((await record(run, 'phase-2', 2)).inputs.reference).toEqual(base);
});

test('what is not asked for is neither computed nor part of a policy’s name', async () => {
  const run = await withRl({});
  await driveRun(run);
  expect(run.engine.calls).not.toContain('reference');
  expect(run.engine.calls).not.toContain('score');
  const { inputs } = await record(run, 'phase-1', 1);
  expect(inputs).not.toHaveProperty('reference');
  const settings = inputs.settings as Extract<typeof inputs.settings, { kind: 'rl' }>;
  expect(Object.keys(settings.loss).sort()).toEqual(
    ['algorithm', 'clipHigh', 'clipLow', 'overlong', 'temperature', 'tokenMean'].sort(),
  );
});

test('dr-grpo divides by the most tokens that may be sampled', async () => {
  const run = await withRl({ algorithm: 'dr-grpo' });
  await driveRun(run);
  expect((await record(run, 'phase-1', 1)).inputs.settings).toMatchObject({
    ...{ take: 'all', loss: { algorithm: 'dr-grpo', maxResponseTokens: 30, clipHigh: 0.2 } },
  });
});

test('a policy is rebuilt to the same bits, its reference, too, where no snapshot is left but the base', async () => {
  const run = await withRl(BOTH);
  const { base, sft, final } = await driveRun(run);
  const checkpoints = join(run.store.root, 'runs/run/checkpoints');
  for (const name of await readdir(checkpoints))
    if (name !== base.name) await rm(join(checkpoints, name), { recursive: true });
  run.engine.forget();
  const policy = { ...final, uri: 'store:runs/run/phase-2/1/steps/2/update.json' };
  const stage = { run: 'run', stage: 'phase-2', attempt: 1 };
  await run.run(createActivities(run.deps).snapshot, { stage, policy });
  expect(await run.engine.call('fingerprint', {})).toEqual({ sha256: final.sha256 });
  expect(await readdir(checkpoints)).toEqual(expect.arrayContaining([base.name, sft.name, final.name]));
});

test('within the nucleus: rollouts, loss and the trainer’s own log-probabilities are all of the tokens kept', async () => {
  const run = await withRl({ truncatedLogprobs: true, importanceCap: 2 });
  const requests: [string, object][] = [];
  const call = run.engine.call.bind(run.engine);
  run.engine.call = (operation, request, options) => {
    requests.push([operation, request]);
    return call(operation, request, options);
  };
  await driveRun(run);
  const truncation = { topP: 0.95, topK: 0 };
  const of = (name: string) => requests.flatMap(([operation, request]) => (operation === name ? [request] : []));
  expect(of('generate').length).toBeGreaterThan(0);
  for (const request of of('generate')) expect(request).toMatchObject({ sampling: { truncatedLogprobs: true } });
  for (const request of of('score')) expect(request).toMatchObject({ truncation });
  for (const request of of('update')) expect(request).toMatchObject({ loss: { truncation } });
  expect((await record(run, 'phase-1', 1)).inputs.settings).toMatchObject({ loss: { truncation } });
});

test.each([
  [{ sampling: { topP: 1 } }, 'rl.truncatedLogprobs: expected sampling.topP below 1'],
  [{ kl: { coefficient: 0.1 } }, 'rl.truncatedLogprobs: expected nothing beside kl'],
])('within the nucleus, %j is refused', async (rl, problem) => {
  const run = await withRl({});
  expect(() => validateSpec({ ...run.spec, rl: { ...run.spec.rl, truncatedLogprobs: true, ...rl } })).toThrow(problem);
});
