/** QwenLong-L1.5's options, against its formulas written out in Python (test/fixtures/golden/golden_task_options.py), and in runs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RolloutGroup, UpdateRecord } from '../../../activities/artifacts/formats.js';
import { scaledBy, taskDeviations } from '../../../activities/engine/training/advantages.js';
import { tokenTargets } from '../../../activities/engine/training/token-targets.js';
import { masks } from '../../../activities/training/entropy-control.js';
import golden from '../../fixtures/golden/task-options.json';
import { expectClose } from '../../support/close.js';
import { driveRun } from '../../support/drive.js';
import { group, lossOf } from '../../support/rollouts.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

const NONE = { current: null, reference: null };

test.each(golden.advantages.map((batch, k) => ({ k, ...batch })))(
  'advantages scaled by task: batch $k',
  ({ groups, expected }) => {
    const deviations = taskDeviations(groups);
    const found = groups.flatMap(({ task, rewards }) => scaledBy(deviations.get(task)!)(rewards));
    const all = expected.flat();
    expect(found.map((advantage, k) => Math.abs(advantage - all[k]!)).filter(error => !(error < 1e-9))).toEqual([]);

    const scored = groups.map(({ task, rewards }) => ({
      ...group(...rewards.map((reward): [number, number] => [1, reward])),
      deviation: deviations.get(task)!,
    }));
    const masked = tokenTargets(scored, lossOf('grpo', { advantageScale: 'task', maskNegative: true }), NONE);
    expectClose(
      masked.advantages,
      all.map(advantage => Math.max(0, advantage)),
      5,
    );
  },
);

test.each(golden.aepo)('AEPO between $low and $high nats', ({ low, high, entropies, masks: expected }) => {
  let on = false;
  expect(
    entropies.map(entropy => {
      on = masks(entropy, on, { low, high });
      return on;
    }),
  ).toEqual(expected);
});

describe('in a run', () => {
  const runs: SmallRun[] = [];
  afterAll(() => Promise.all(runs.map(run => run.remove())));

  async function driven(rl: object, dieAt: number | null = null) {
    const run = await smallRun();
    runs.push(run);
    Object.assign(run.spec.rl, { maxRefills: 1 }, rl);
    run.engine.dieAt = dieAt;
    const { final } = await driveRun(run);
    const read = (path: string) => readFile(join(run.store.root, 'runs/run', path), 'utf8');
    const update = async (stage: string, step: number): Promise<UpdateRecord> =>
      JSON.parse(await read(`${stage}/1/steps/${step}/update.json`));
    const rollouts = async (stage: string, step: number): Promise<RolloutGroup[]> =>
      (await read(`${stage}/1/steps/${step}/rollouts-0.jsonl`))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
    return { run, final, update, rollouts };
  }
  const lossAt = ({ inputs }: UpdateRecord) => (inputs.settings.kind === 'rl' ? inputs.settings.loss : null);

  test('negative advantages are masked after a step of high entropy, from the second step of RL on', async () => {
    // The engine's entropy is 1.
    const { update } = await driven({ aepo: { low: 0.5, high: 0.9 } });
    expect(lossAt(await update('phase-1', 1))).not.toHaveProperty('maskNegative');
    expect(lossAt(await update('phase-1', 2))).toHaveProperty('maskNegative', true);
    expect(lossAt(await update('phase-2', 1))).toHaveProperty('maskNegative', true);
  });

  test('and not where it never was above the upper bound', async () => {
    const { update } = await driven({ aepo: { low: 0.5, high: 1 } });
    expect(lossAt(await update('phase-2', 2))).not.toHaveProperty('maskNegative');
  });

  test('scaling by task is part of the step, and made again from the log', async () => {
    const options = { advantageScale: 'task', balanceTasks: true, aepo: { low: 0.5, high: 0.9 } };
    const { final, update, rollouts, run } = await driven(options);
    expect(lossAt(await update('phase-1', 1))).toMatchObject({ advantageScale: 'task' });
    expect((await rollouts('phase-1', 1)).map(({ task }) => task)).toEqual(['docqa', 'docqa', 'docqa', 'docqa']);
    const place = run.engine.calls.lastIndexOf('update');
    expect((await driven(options, place)).final.sha256).toBe(final.sha256);
  });
});
