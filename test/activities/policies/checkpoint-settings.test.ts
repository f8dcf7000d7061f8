/** `checkpoints` of a spec: what a stage is told of them, and that a run may be started again with others. */
import { join } from 'node:path';
import { createActivities } from '../../../activities/index.js';
import type { RunSpec } from '../../../activities/spec/run-spec.js';
import { specUri } from '../../../activities/store/index.js';
import { createModels } from '../../../activities/text/models.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeEach(async () => {
  small = await smallRun();
});
afterEach(() => small.remove());

const activities = () => createActivities(small.deps);
const prepare = (checkpoints: Record<string, unknown> | undefined, changes = {}, run = 'r') => {
  const { checkpoints: _, ...spec } = small.spec;
  return small.run(activities().prepareRun, {
    run,
    input: { ...spec, ...changes, ...(checkpoints && { checkpoints }) },
  });
};

type Plan = Awaited<ReturnType<typeof prepare>>;
async function claim({ spec, model, data, checkpoints }: Plan, overrides = {}, attempt = 1) {
  await small.run(activities().importBase, { run: 'r', model });
  return small.run(activities().claimAttempt, {
    ...{ stage: { run: 'r', stage: 'phase-1', attempt }, spec, warmupData: data.warmup, overrides },
    ...(checkpoints && { checkpoints }),
  });
}

describe('a stage is told', () => {
  test('a number of steps as it is', async () => {
    expect(await claim(await prepare({ everySteps: 3, keep: 'all' }))).toMatchObject({ snapshotEvery: 3, keep: 'all' });
  });

  test('unless there is one, what a snapshot is taken to cost and how far failures are apart, in seconds', async () => {
    // Weights and two moments of "base weights", 12 bytes each, at 100 MB a second; 3 hours.
    expect(await claim(await prepare(undefined))).toMatchObject({
      snapshotEvery: { cost: (3 * 12) / 100e6, meanTimeBetweenFailures: 10_800 },
      keep: 2,
    });
    expect(await claim(await prepare({ meanTimeBetweenFailures: 0.5 }))).toMatchObject({
      snapshotEvery: { meanTimeBetweenFailures: 1800 },
    });
  });

  test('of a run that trains an adapter, what the adapter costs', async () => {
    // The small model's adapter has one number.
    expect(await claim(await prepare(undefined, { lora: {} }))).toMatchObject({
      snapshotEvery: { cost: (3 * 4) / 100e6 },
    });
  });

  test("what a replay says of its attempt, whatever the run's are", async () => {
    const plan = await prepare({ everySteps: 3, keep: 5 });
    const { spec, ...settings } = await claim(plan, { 'checkpoints.everySteps': 1 }, 2);
    expect(settings).toMatchObject({ snapshotEvery: 1, keep: 5 });
    expect(JSON.parse(await small.store.readText(spec)).checkpoints).toMatchObject({ everySteps: 1, keep: 5 });
  });
});

test("an adapter's numbers are those of its matrices, A [rank, in] and B [out, rank] for each layer", async () => {
  const model = await createModels('').open(join(__dirname, '../../fixtures/golden/llama'));
  const ofRank = (rank: number, targetModules: string[]) => model.adapterParameters({ rank, targetModules });
  const { hidden_size: hidden, num_hidden_layers: layers } = jest.requireActual(
    '../../fixtures/golden/llama/config.json',
  );
  expect(ofRank(3, ['q_proj'])).toBe(layers * 3 * (hidden + hidden));
  expect(ofRank(6, ['q_proj', 'o_proj'])).toBe(4 * ofRank(3, ['q_proj']));
});

describe('a run started again with other checkpoints', () => {
  test('goes on with them; its spec stays as it was published', async () => {
    const plan = await prepare({ everySteps: 3 });
    const published = await small.store.readText(plan.spec);
    const again = await prepare({ everySteps: 'auto', meanTimeBetweenFailures: 1, keep: 1 });
    expect(again.spec).toEqual(plan.spec);
    expect(await small.store.readText(again.spec)).toBe(published);
    expect(again.stages).toEqual(plan.stages);
    expect(await claim(again)).toMatchObject({ snapshotEvery: { meanTimeBetweenFailures: 3600 }, keep: 1 });
  });

  test('also one whose spec is of a version that knew less of them', async () => {
    const { spec: _, ...rest } = await prepare({ everySteps: 10 }, {}, 'newer');
    expect(rest.checkpoints).toEqual({ everySteps: 10, meanTimeBetweenFailures: 3, keep: 2 });
    const newer = JSON.parse(await small.store.readText((await small.store.find(specUri('newer')))!)) as RunSpec;
    const older = `${JSON.stringify({ ...newer, checkpoints: { everySteps: 10 } }, null, 1)}\n`;
    await small.store.publishText(specUri('r'), older);
    const plan = await prepare(undefined);
    expect(await small.store.readText(plan.spec)).toBe(older);
    expect(plan.checkpoints).toEqual({ everySteps: 'auto', meanTimeBetweenFailures: 3, keep: 2 });
    expect(await claim(plan)).toMatchObject({ snapshotEvery: expect.any(Object), keep: 2 });
    // As a workflow goes on that began with that version.
    const { checkpoints: __, ...known } = plan;
    expect(await claim(known, {}, 2)).toMatchObject({ snapshotEvery: 10 });
  });

  test('and with anything else changed is refused, which is all that is named', async () => {
    await prepare({ everySteps: 3 });
    const refused = prepare({ everySteps: 4, keep: 1 }, { seed: 8 });
    await expect(refused).rejects.toMatchObject({ type: 'InvalidSpec' });
    await expect(refused).rejects.toThrow(/^The run spec has a mistake:\n {2}seed: differs from the run "r"[^\n]*$/);
  });

  test("an attempt's own spec stays as it was published, too", async () => {
    const overrides = { 'rl.groupSize': 5 };
    const first = await claim(await prepare({ everySteps: 3 }), overrides, 2);
    const again = await claim(await prepare({ everySteps: 4 }), overrides, 2);
    expect(again).toEqual({ ...first, snapshotEvery: 4 });
  });
});
