import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { type CurriculumResult, type Progress, type StudyResult, TASK_QUEUE } from '../../activities/contract/index.js';
import type { StudyReport } from '../../activities/studies/index.js';
import { COLD, COOL, FULL, StudyBench } from '../support/small-study.js';
import { replay, until } from '../support/temporal-server.js';

let bench: StudyBench;

beforeAll(async () => {
  bench = await StudyBench.start();
});
afterAll(() => bench?.stop());

describe('beside another study', () => {
  let result: StudyResult;
  let report: StudyReport;

  beforeAll(async () => {
    result = await (await bench.begin('trial', bench.studyOf())).result();
    report = await bench.read<StudyReport>(result.report.uri);
  });

  test('a run that took stages ends with the same weights as one that went through all of them', async () => {
    const { client } = bench.server.env;
    const spec = {
      ...bench.studyOf().base,
      seed: 3,
      phases: [bench.small.spec.phases[0], { ...bench.small.spec.phases[1], rl: COOL.set['phases.1.rl'] }],
    };
    const single = bench.studyOf({ seeds: [3], atOnce: 1 });
    const cost = await bench.computed(async () => void (await (await bench.begin('single', single)).result()));
    let alone!: CurriculumResult;
    const costAlone = await bench.computed(async () => {
      alone = await client.workflow.execute('curriculum', {
        workflowId: 'alone',
        taskQueue: TASK_QUEUE,
        args: [spec],
      });
    });
    const { policy } = await bench.resultOf('single.cool.3');
    expect([policy.name, policy.sha256]).toEqual([alone.policy.name, alone.policy.sha256]);
    expect(cost).toBeGreaterThan(costAlone);
    expect(cost).toBeLessThan(1.7 * costAlone);
  });

  test('another study of the store takes all that it has in common with it', async () => {
    const cost = await bench.computed(async () => {
      const other = await (await bench.begin('other', bench.studyOf())).result();
      const { cost, cells } = await bench.read<StudyReport>(other.report.uri);
      expect(cost.spent).toBe(0);
      expect(cells.map(({ policy }) => policy)).toEqual(report.cells.map(({ policy }) => policy));
    });
    expect(cost).toBe(0);
  });

  test('a run may branch off one that took the stage before', async () => {
    const { client } = bench.server.env;
    const branch: CurriculumResult = await client.workflow.execute('curriculum', {
      workflowId: 'off',
      taskQueue: TASK_QUEUE,
      args: [{ from: 'trial.cool.1/phase-2' }],
    });
    expect(branch.policy.sha256).toBe((await bench.resultOf('trial.cool.1')).policy.sha256);
  });

  test('started again it computes nothing; extended, the new runs alone', async () => {
    const before = bench.small.engine.calls.length;
    expect(await (await bench.begin('trial', bench.studyOf())).result()).toEqual(result);
    expect(bench.small.engine.calls.length).toBe(before);
    const more = bench.studyOf({ variants: [FULL, COOL, COLD], seeds: [1, 2, 3] });
    const extended = await bench.read<StudyReport>((await (await bench.begin('trial', more)).result()).report.uri);
    expect(extended.cells).toHaveLength(9);
    expect(extended.cells.filter(({ run }) => report.cells.some(one => one.run === run))).toEqual(report.cells);
  });
});

describe('a study under way', () => {
  test('is paused, extended and resumed', async () => {
    bench.small.engine.generateMs = 20;
    const handle = await bench.begin('paused', bench.studyOf({ atOnce: 2 }));
    await until(async () => (await bench.progressOf(handle)).cells.some(({ state }) => state === 'running'));
    expect(await handle.executeUpdate('pause')).toBe('paused');
    const running = (await bench.progressOf(handle)).cells.filter(({ state }) => state === 'running');
    await until(async () => {
      const run = bench.server.env.client.workflow.getHandle(running[0]!.run);
      return (await run.query<Progress>('progress')).state === 'paused';
    });
    const more = bench.studyOf({ variants: [FULL, COOL, COLD], atOnce: 2 });
    expect(await handle.executeUpdate('extend', { args: [more] })).toEqual({ runs: 6 });
    const bad = handle.executeUpdate('extend', { args: [bench.studyOf({ seeds: [1, 1] })] });
    await expect(bad).rejects.toThrow(WorkflowUpdateFailedError);
    await expect(bad).rejects.toMatchObject({
      cause: { message: expect.stringContaining('seeds[1]: expected each seed once') },
    });
    expect(await handle.executeUpdate('resume')).toBe('running');
    bench.small.engine.generateMs = 0;
    const report = await bench.read<StudyReport>((await handle.result()).report.uri);
    expect(report.cells).toHaveLength(6);
    await replay(bench.server, 'paused');
  });

  test('cancelled, it ends with its runs; started again it goes on', async () => {
    bench.small.engine.generateMs = 20;
    const handle = await bench.begin('cancelled', bench.studyOf());
    await until(async () => (await bench.progressOf(handle)).cells.some(({ state }) => state === 'running'));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    bench.small.engine.generateMs = 0;
    const states = await Promise.all(
      (await bench.progressOf(handle)).cells.map(async ({ run }) =>
        bench.server.env.client.workflow
          .getHandle(run)
          .describe()
          .then(({ status }) => status.name)
          .catch(() => 'NONE'),
      ),
    );
    expect(states).not.toContain('RUNNING');
    const again = await (await bench.begin('cancelled', bench.studyOf())).result();
    expect(again.failed).toEqual([]);
  });
});

test('a run that fails is said, and the others go on; started again, it is tried again', async () => {
  const gone = { name: 'gone', set: { 'data.0.path': `${bench.small.folder}/gone.jsonl` } };
  const spec = bench.studyOf({ variants: [FULL, gone], seeds: [1], hypotheses: [] });
  const result = await (await bench.begin('failing', spec)).result();
  expect(result.failed.map(({ run }) => run)).toEqual(['failing.gone.1']);
  expect(result.failed[0]!.error).toContain('gone.jsonl');
  const report = await bench.read<StudyReport>(result.report.uri);
  expect(report.missing).toEqual(['failing.gone.1']);

  await copyFile(join(bench.small.folder, 'data.jsonl'), join(bench.small.folder, 'gone.jsonl'));
  const again = await (await bench.begin('failing', spec)).result();
  expect(again.failed).toEqual([]);
  expect((await bench.read<StudyReport>(again.report.uri)).missing).toEqual([]);
});
