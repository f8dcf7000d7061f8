import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { StudyResult } from '../../activities/contract/index.js';
import { redoLog } from '../../activities/policies/index.js';
import { type Outcome, outcomesOf } from '../../activities/run/index.js';
import { validateStudy } from '../../activities/spec/index.js';
import { baseUri, FolderStore, planUri } from '../../activities/store/index.js';
import { findReport, type StudyReport, studyReport } from '../../activities/studies/index.js';
import { ChainCheck } from '../../infra/proof/chain.js';
import { lineageOf } from '../../infra/proof/lineage.js';
import { COOL, FULL, StudyBench } from '../support/small-study.js';
import { replay } from '../support/temporal-server.js';

let bench: StudyBench;

beforeAll(async () => {
  bench = await StudyBench.start();
});
afterAll(() => bench?.stop());

describe('a study', () => {
  let result: StudyResult;
  let report: StudyReport;

  beforeAll(async () => {
    result = await (await bench.begin('trial', bench.studyOf())).result();
    report = await bench.read<StudyReport>(result.report.uri);
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
        outcomesOf(bench.small.store, `trial.full.${seed}`),
        outcomesOf(bench.small.store, `trial.cool.${seed}`),
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

  test('nothing is copied: data, base and policies of a run that took them lie where they were made', async () => {
    const runs = ['trial.full.1', 'trial.full.2', 'trial.cool.1', 'trial.cool.2'];
    const data = await Promise.all(runs.map(run => bench.small.store.list(`store:runs/${run}/data`)));
    expect(
      data
        .flat()
        .filter(name => name.endsWith('.jsonl'))
        .sort(),
    ).toEqual(['set-held-out.jsonl', 'train.jsonl', 'warmup.jsonl']);
    const bases = await Promise.all(runs.map(run => bench.read<{ uri: string }>(baseUri(run))));
    expect(new Set(bases.map(({ uri }) => uri)).size).toBe(1);
    const cool = await bench.read<{ data: { train: { uri: string } } }>(planUri('trial.cool.1'));
    expect(await bench.small.store.has(cool.data.train.uri)).toBe(true);
  });

  test('the log of a run that took stages holds together, and its lineage goes back to the base', async () => {
    const run = ['trial.cool.1', 'trial.full.1'].find(
      run =>
        run !== report.cells.find(({ run }) => run.endsWith('.1'))?.parts.find(({ name }) => name === 'phase-1')?.of,
    )!;
    const taken = (await outcomesOf(bench.small.store, run)).filter(
      ({ of, name }) => of !== run && !name.startsWith('evaluation'),
    );
    const policies = taken.map(({ name, result }) =>
      name === 'base' ? result : (result as { policy: object }).policy,
    );
    const chain = new ChainCheck(bench.small.store, [await bench.read(baseUri(run)), ...(policies as never[])]);
    const problems: string[] = [];
    for await (const entry of redoLog(bench.small.store, run)) problems.push(...(await chain.problemsOf(entry)));
    expect(problems).toEqual([]);
    const lineage = await lineageOf(bench.small.store, run, (await bench.resultOf(run)).policy.name);
    expect(lineage!.stretches.map(({ stage }) => stage)).toEqual(['warmup', 'phase-1', 'phase-2']);
    expect(new Set(lineage!.stretches.map(({ run }) => run)).size).toBe(2);
  });

  test('its report is the same, computed again', async () => {
    expect(JSON.parse(JSON.stringify(await studyReport(bench.small.store, 'trial', report.spec)))).toEqual(report);
  });

  test('it is found by the spec that the study was started with, as it was published', async () => {
    const { study } = await validateStudy(bench.studyOf({ atOnce: 9 }), bench.small.deps.readPreset);
    const { now, published } = (await findReport(bench.small.store, 'trial', study))!;
    expect(published!.ref).toEqual(result.report);
    expect(JSON.parse(published!.text)).toEqual(JSON.parse(JSON.stringify(now)));
    const other = await validateStudy(bench.studyOf({ seeds: [8] }), bench.small.deps.readPreset);
    expect(await findReport(bench.small.store, 'trial', other.study)).toBeNull();
  });

  test('a score that was changed in the store is not computed with', async () => {
    const root = join(bench.small.folder, 'copy');
    await cp(bench.small.store.root, root, { recursive: true });
    const copy = new FolderStore(root);
    const { uri } = report.cells[0]!.evaluations[0]!.result;
    const text = await readFile(copy.placeOf(uri), 'utf8');
    await rm(copy.placeOf(uri));
    await writeFile(copy.placeOf(uri), text.replace('"reward": 0', '"reward": 1'));
    await expect(studyReport(copy, 'trial', report.spec)).rejects.toThrow(uri);
  });

  test('its history replays, and that of a run that took stages', async () => {
    for (const id of ['trial', 'trial.full.1', 'trial.cool.1']) await replay(bench.server, id);
  });

  test('what it has begun stays what it is', async () => {
    const changed = bench.studyOf({ variants: [FULL, { ...COOL, set: { 'rl.groupSize': 2 } }] });
    const error = await (await bench.begin('trial', changed)).result().catch((error: unknown) => error);
    expect(String(((error as WorkflowFailedError).cause as Error).cause)).toContain(
      'variants[1]: differs from the variant "cool" that the study has in the store, in rl.groupSize',
    );
  });
});

test('a mistake is said before anything is written', async () => {
  const error = await (await bench.begin('mistaken', bench.studyOf({ seeds: [] })))
    .result()
    .catch((error: unknown) => error);
  const cause = (error as WorkflowFailedError).cause?.cause;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect((cause as Error).message).toContain('seeds: expected a list that is not empty');
  expect(await bench.small.store.list('store:studies/mistaken')).toEqual([]);
});
