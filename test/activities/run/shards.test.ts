/** `shards` of a spec: what the stages are told of it, and that a run goes on with another number, or with none. */
import { createActivities } from '../../../activities/index.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

const prepare = (more: object) =>
  small.run(createActivities(small.deps).prepareRun, { run: 'r', input: { ...small.spec, ...more } });

async function told(more: object): Promise<{ run: number | undefined; stage: number | undefined }> {
  const { claimAttempt, importBase } = createActivities(small.deps);
  const { spec, model, data, shards, checkpoints } = await prepare(more);
  await small.run(importBase, { run: 'r', model });
  const { rl } = await small.run(claimAttempt, {
    ...{ stage: { run: 'r', stage: 'phase-1', attempt: 1 }, spec, warmupData: data.warmup, overrides: {} },
    ...(checkpoints && { checkpoints }),
    ...(shards !== undefined && { shards }),
  });
  return { run: shards, stage: rl?.shards };
}

test('a run goes on in any number of shards', async () => {
  expect(await told({})).toEqual({ run: undefined, stage: undefined });
  expect(await told({ shards: 4 })).toEqual({ run: 4, stage: 4 });
  expect(await told({ shards: 2 })).toEqual({ run: 2, stage: 2 });
  // In one shard a step is made whole.
  expect(await told({ shards: 1 })).toEqual({ run: 1, stage: undefined });
  expect(await told({})).toEqual({ run: undefined, stage: undefined });
});

test('all else must be as it was', async () => {
  await prepare({ shards: 4 });
  await expect(prepare({ shards: 2, seed: 99 })).rejects.toThrow('seed: differs from the run "r"');
});
