import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  type CurriculumResult,
  type Progress,
  type StudyProgress,
  type StudyResult,
  TASK_QUEUE,
} from '../../activities/contract/index.js';
import { redoLog } from '../../activities/policies/index.js';
import { type Outcome, outcomesOf } from '../../activities/run/index.js';
import { validateStudy } from '../../activities/spec/index.js';
import { baseUri, FolderStore, planUri, readJson, resultUri } from '../../activities/store/index.js';
import { findReport, type StudyReport, studyReport } from '../../activities/studies/index.js';
import { ChainCheck } from '../../infra/proof/chain.js';
import { lineageOf } from '../../infra/proof/lineage.js';
import { study } from '../../workflows/index.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopWorkers: () => Promise<void>;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  stopWorkers = await startWorkers(server, small);
});
afterAll(async () => {
  await stopWorkers?.();
  await server?.env.teardown();
  await small.remove();
});

/** Two variants that differ from phase 2 on, and one from the beginning. */
const FULL = { name: 'full' };
const COOL = { name: 'cool', set: { 'phases.1.rl': { optimizer: { learningRate: 2e-4 } } } };
const COLD = { name: 'cold', set: { warmup: null } };

const studyOf = (changes: object = {}) => ({
  base: { ...small.spec, evaluation: { ...small.spec.evaluation, policies: ['base', 'sft', 'phases', 'final'] } },
  variants: [FULL, COOL],
  seeds: [1, 2],
  atOnce: 4,
  hypotheses: [{ variant: 'full', above: 'full', aboveAt: 'base', on: 'held-out' }],
  ...changes,
});

const start = (workflowId: string, input: object): Promise<WorkflowHandle<typeof study>> =>
  server.env.client.workflow.start(study, { workflowId, taskQueue: TASK_QUEUE, args: [input as never] });

const read = async <T>(uri: string): Promise<T> => readJson<T>(small.store, (await small.store.find(uri))!);
const resultOf = (run: string) => read<CurriculumResult>(resultUri(run));
const progressOf = (handle: WorkflowHandle<typeof study>) => handle.query<StudyProgress>('progress');
/** How often the engine is asked to train or to sample meanwhile. */
async function computed(work: () => Promise<void>): Promise<number> {
  const before = small.engine.calls.length;
  await work();
  return small.engine.calls.slice(before).filter(call => ['sft', 'update', 'generate'].includes(call)).length;
}

describe('a study', () => {
  let result: StudyResult;
  let report: StudyReport;

  beforeAll(async () => {
    result = await (await start('trial', studyOf())).result();
    report = await read<StudyReport>(result.report.uri);
  });

  test('trains each variant with each seed, and finds out what is claimed', () => {
    expect(result.failed).toEqual([]);
    expect(report.missing).toEqual([]);
    expect(report.cells.map(({ run }) => run)).toEqual([
      'trial.full.1',
      'trial.full.2',
      'trial.cool.1',
      'trial.cool.2',
    ]);
    expect(result.hypotheses).toEqual([
      { claim: 'full (final) above full (base) on held-out', verdict: expect.any(String) },
    ]);
    expect(report.scores.map(({ variant, at, seeds, items }) => [variant, at, seeds, items])).toContainEqual([
      'cool',
      'phase-1',
      [1, 2],
      5,
    ]);
  });

  test('what two runs share is made once, by whichever came first', async () => {
    for (const seed of [1, 2]) {
      const [full, cool] = await Promise.all([
        outcomesOf(small.store, `trial.full.${seed}`),
        outcomesOf(small.store, `trial.cool.${seed}`),
      ]);
      const of = (outcomes: Outcome[], name: string) => outcomes.find(one => one.name === name)!.of;
      for (const name of ['base', 'warmup', 'evaluation.base', 'evaluation.sft', 'phase-1', 'evaluation.phase-1'])
        expect(of(cool, name)).toBe(of(full, name));
      for (const name of ['phase-2', 'evaluation.final']) {
        expect(of(full, name)).toBe(`trial.full.${seed}`);
        expect(of(cool, name)).toBe(`trial.cool.${seed}`);
      }
    }
    expect(report.cost.spent).toBeLessThan(report.cost.alone);
    const ofEachSeed = ['evaluation.base', 'evaluation.phase-1', 'evaluation.sft', 'phase-1', 'warmup'];
    const names = report.cost.shared.map(({ name }) => name).sort();
    expect(names).toEqual(['base', ...ofEachSeed, ...ofEachSeed].sort());
  });

  test('a run that took stages ends with the same weights as one that went through all of them', async () => {
    const { client } = server.env;
    const spec = {
      ...studyOf().base,
      seed: 3,
      phases: [small.spec.phases[0], { ...small.spec.phases[1], rl: COOL.set['phases.1.rl'] }],
    };
    const single = studyOf({ seeds: [3], atOnce: 1 });
    const cost = await computed(async () => void (await (await start('single', single)).result()));
    let alone!: CurriculumResult;
    const costAlone = await computed(async () => {
      alone = await client.workflow.execute('curriculum', {
        workflowId: 'alone',
        taskQueue: TASK_QUEUE,
        args: [spec],
      });
    });
    const { policy } = await resultOf('single.cool.3');
    expect([policy.name, policy.sha256]).toEqual([alone.policy.name, alone.policy.sha256]);
    expect(cost).toBeGreaterThan(costAlone);
    expect(cost).toBeLessThan(1.7 * costAlone);
  });

  test('another study of the store takes all that it has in common with it', async () => {
    const cost = await computed(async () => {
      const other = await (await start('other', studyOf())).result();
      const { cost, cells } = await read<StudyReport>(other.report.uri);
      expect(cost.spent).toBe(0);
      expect(cells.map(({ policy }) => policy)).toEqual(report.cells.map(({ policy }) => policy));
    });
    expect(cost).toBe(0);
  });

  test('nothing is copied: data, base and policies of a run that took them lie where they were made', async () => {
    const runs = ['trial.full.1', 'trial.full.2', 'trial.cool.1', 'trial.cool.2'];
    const data = await Promise.all(runs.map(run => small.store.list(`store:runs/${run}/data`)));
    expect(
      data
        .flat()
        .filter(name => name.endsWith('.jsonl'))
        .sort(),
    ).toEqual(['set-held-out.jsonl', 'train.jsonl', 'warmup.jsonl']);
    const bases = await Promise.all(runs.map(run => read<{ uri: string }>(baseUri(run))));
    expect(new Set(bases.map(({ uri }) => uri)).size).toBe(1);
    const cool = await read<{ data: { train: { uri: string } } }>(planUri('trial.cool.1'));
    expect(await small.store.has(cool.data.train.uri)).toBe(true);
  });

  test('the log of a run that took stages holds together, and its lineage goes back to the base', async () => {
    const run = ['trial.cool.1', 'trial.full.1'].find(
      run =>
        run !== report.cells.find(({ run }) => run.endsWith('.1'))?.parts.find(({ name }) => name === 'phase-1')?.of,
    )!;
    const taken = (await outcomesOf(small.store, run)).filter(
      ({ of, name }) => of !== run && !name.startsWith('evaluation'),
    );
    const policies = taken.map(({ name, result }) =>
      name === 'base' ? result : (result as { policy: object }).policy,
    );
    const chain = new ChainCheck(small.store, [await read(baseUri(run)), ...(policies as never[])]);
    const problems: string[] = [];
    for await (const entry of redoLog(small.store, run)) problems.push(...(await chain.problemsOf(entry)));
    expect(problems).toEqual([]);
    const lineage = await lineageOf(small.store, run, (await resultOf(run)).policy.name);
    expect(lineage!.stretches.map(({ stage }) => stage)).toEqual(['warmup', 'phase-1', 'phase-2']);
    expect(new Set(lineage!.stretches.map(({ run }) => run)).size).toBe(2);
  });

  test('its report is the same, computed again', async () => {
    expect(JSON.parse(JSON.stringify(await studyReport(small.store, 'trial', report.spec)))).toEqual(report);
  });

  test('it is found by the spec that the study was started with, as it was published', async () => {
    const { study } = await validateStudy(studyOf({ atOnce: 9 }), small.deps.readPreset);
    const { now, published } = (await findReport(small.store, 'trial', study))!;
    expect(published!.ref).toEqual(result.report);
    expect(JSON.parse(published!.text)).toEqual(JSON.parse(JSON.stringify(now)));
    const other = await validateStudy(studyOf({ seeds: [8] }), small.deps.readPreset);
    expect(await findReport(small.store, 'trial', other.study)).toBeNull();
  });

  test('a score that was changed in the store is not computed with', async () => {
    const root = join(small.folder, 'copy');
    await cp(small.store.root, root, { recursive: true });
    const copy = new FolderStore(root);
    const { uri } = report.cells[0]!.evaluations[0]!.result;
    const text = await readFile(copy.placeOf(uri), 'utf8');
    await rm(copy.placeOf(uri));
    await writeFile(copy.placeOf(uri), text.replace('"reward": 0', '"reward": 1'));
    await expect(studyReport(copy, 'trial', report.spec)).rejects.toThrow(uri);
  });

  test('its history replays, and that of a run that took stages', async () => {
    for (const id of ['trial', 'trial.full.1', 'trial.cool.1']) await replay(server, id);
  });

  test('a run may branch off one that took the stage before', async () => {
    const { client } = server.env;
    const branch: CurriculumResult = await client.workflow.execute('curriculum', {
      workflowId: 'off',
      taskQueue: TASK_QUEUE,
      args: [{ from: 'trial.cool.1/phase-2' }],
    });
    expect(branch.policy.sha256).toBe((await resultOf('trial.cool.1')).policy.sha256);
  });

  test('started again it computes nothing; extended, the new runs alone', async () => {
    const before = small.engine.calls.length;
    expect(await (await start('trial', studyOf())).result()).toEqual(result);
    expect(small.engine.calls.length).toBe(before);
    const more = studyOf({ variants: [FULL, COOL, COLD], seeds: [1, 2, 3] });
    const extended = await read<StudyReport>((await (await start('trial', more)).result()).report.uri);
    expect(extended.cells).toHaveLength(9);
    expect(extended.cells.filter(({ run }) => report.cells.some(one => one.run === run))).toEqual(report.cells);
  });

  test('what it has begun stays what it is', async () => {
    const changed = studyOf({ variants: [FULL, { ...COOL, set: { 'rl.groupSize': 2 } }] });
    const error = await (await start('trial', changed)).result().catch((error: unknown) => error);
    expect(String(((error as WorkflowFailedError).cause as Error).cause)).toContain(
      'variants[1]: differs from the variant "cool" that the study has in the store, in rl.groupSize',
    );
  });
});

describe('a study under way', () => {
  test('is paused, extended and resumed', async () => {
    small.engine.generateMs = 20;
    const handle = await start('paused', studyOf({ atOnce: 2 }));
    await until(async () => (await progressOf(handle)).cells.some(({ state }) => state === 'running'));
    expect(await handle.executeUpdate('pause')).toBe('paused');
    const running = (await progressOf(handle)).cells.filter(({ state }) => state === 'running');
    await until(async () => {
      const run = server.env.client.workflow.getHandle(running[0]!.run);
      return (await run.query<Progress>('progress')).state === 'paused';
    });
    const more = studyOf({ variants: [FULL, COOL, COLD], atOnce: 2 });
    expect(await handle.executeUpdate('extend', { args: [more] })).toEqual({ runs: 6 });
    const bad = handle.executeUpdate('extend', { args: [studyOf({ seeds: [1, 1] })] });
    await expect(bad).rejects.toThrow(WorkflowUpdateFailedError);
    await expect(bad).rejects.toMatchObject({
      cause: { message: expect.stringContaining('seeds[1]: expected each seed once') },
    });
    expect(await handle.executeUpdate('resume')).toBe('running');
    small.engine.generateMs = 0;
    const report = await read<StudyReport>((await handle.result()).report.uri);
    expect(report.cells).toHaveLength(6);
    await replay(server, 'paused');
  });

  test('cancelled, it ends with its runs; started again it goes on', async () => {
    small.engine.generateMs = 20;
    const handle = await start('cancelled', studyOf());
    await until(async () => (await progressOf(handle)).cells.some(({ state }) => state === 'running'));
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    small.engine.generateMs = 0;
    const states = await Promise.all(
      (await progressOf(handle)).cells.map(async ({ run }) =>
        server.env.client.workflow
          .getHandle(run)
          .describe()
          .then(({ status }) => status.name)
          .catch(() => 'NONE'),
      ),
    );
    expect(states).not.toContain('RUNNING');
    const again = await (await start('cancelled', studyOf())).result();
    expect(again.failed).toEqual([]);
  });
});

test('a run that fails is said, and the others go on; started again, it is tried again', async () => {
  const gone = { name: 'gone', set: { 'data.0.path': `${small.folder}/gone.jsonl` } };
  const result = await (await start('failing', studyOf({ variants: [FULL, gone], hypotheses: [] }))).result();
  expect(result.failed.map(({ run }) => run)).toEqual(['failing.gone.1', 'failing.gone.2']);
  expect(result.failed[0]!.error).toContain('gone.jsonl');
  const report = await read<StudyReport>(result.report.uri);
  expect(report.missing).toEqual(['failing.gone.1', 'failing.gone.2']);
});

test('a mistake is said before anything is written', async () => {
  const error = await (await start('mistaken', studyOf({ seeds: [] }))).result().catch((error: unknown) => error);
  const cause = (error as WorkflowFailedError).cause?.cause;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect((cause as Error).message).toContain('seeds: expected a list that is not empty');
  expect(await small.store.list('store:studies/mistaken')).toEqual([]);
});
