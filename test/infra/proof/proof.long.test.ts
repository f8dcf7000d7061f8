import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PolicyRef } from '../../../activities/contract/index.js';
import { createActivities } from '../../../activities/index.js';
import { type LogEntry, logStep, redoLog } from '../../../activities/policies/redo-log.js';
import { baseUri, checkpointUri, readJson, sha256 } from '../../../activities/store/index.js';
import { exportCommand } from '../../../infra/cli/export.js';
import { ChainCheck } from '../../../infra/proof/chain.js';
import { lineageOf } from '../../../infra/proof/lineage.js';
import { redo } from '../../../infra/proof/redo.js';
import { driveRun } from '../../support/drive.js';
import { FakeEngine } from '../../support/fake-engine.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

let small: SmallRun;
let driven: Awaited<ReturnType<typeof driveRun>>;
beforeEach(async () => {
  small = await smallRun();
  small.spec.warmup.batchSize = 16;
  for (const phase of small.spec.phases) phase.steps = 3;
  driven = await driveRun(small);
});
afterEach(() => small.remove());

async function log(): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of redoLog(small.store, 'run')) entries.push(entry);
  return entries;
}

async function problems(): Promise<string[]> {
  const ref = await small.store.find(baseUri('run'));
  const chain = new ChainCheck(small.store, [await readJson<PolicyRef>(small.store, ref!)]);
  const found: string[] = [];
  for (const entry of await log()) {
    for (const problem of await chain.problemsOf(entry)) found.push(`${entry.stage.stage}/${entry.step} ${problem}`);
  }
  return found;
}

const fileOf = (uri: string) => join(small.store.root, ...uri.slice('store:'.length).split('/'));

test('the log comes in the order in which it came about', async () => {
  expect((await log()).map(({ stage, step }) => `${stage.stage}/${step}`)).toEqual([
    'warmup/1',
    'warmup/2',
    'phase-1/1',
    'phase-1/2',
    'phase-1/3',
    'phase-2/1',
    'phase-2/2',
    'phase-2/3',
  ]);
});

describe('the chain', () => {
  test('of an unharmed run holds', async () => {
    expect(await problems()).toEqual([]);
  });

  test('names a rollout file in which one bit has changed', async () => {
    const [entry] = (await log()).filter(({ stage }) => stage.stage === 'phase-1');
    const path = fileOf(entry!.record.inputs.rounds[0]!.rollouts.uri);
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    await writeFile(path, bytes);
    expect(await problems()).toEqual([expect.stringMatching(/^phase-1\/1 .*rollouts-0\.jsonl is damaged/)]);
  });

  test('misses a step', async () => {
    const entry = (await log()).find(({ stage, step }) => stage.stage === 'phase-2' && step === 2)!;
    await rm(fileOf(entry.ref.uri));
    expect(await problems()).toEqual(['phase-2/3 follows step 1: those between are missing']);
  });

  test('finds settings that are not those the policy was named for, and a parent that nobody made', async () => {
    const entry = (await log()).find(({ stage, step }) => stage.stage === 'phase-1' && step === 1)!;
    const record = structuredClone(entry.record);
    record.inputs.settings.microBatchTokens += 1;
    record.inputs.parent.name = 'f'.repeat(32);
    // As a faulty version would have published it: not damaged since.
    const path = fileOf(entry.ref.uri);
    await rm(path);
    await rm(join(dirname(path), '.sums'), { recursive: true });
    await small.store.publishText(entry.ref.uri, JSON.stringify(record));
    const found = await problems();
    expect(found).toContainEqual(
      expect.stringMatching(/^phase-1\/1 is logged as policy .*; its inputs and settings make/),
    );
    expect(found).toContainEqual(
      expect.stringMatching(/^phase-1\/1 starts from policy f+, which no earlier step made/),
    );
    expect(found).toContainEqual(expect.stringMatching(/^phase-1\/1 has rollouts of policy .*, not of its parent/));
  });

  test('finds a damaged checkpoint', async () => {
    await writeFile(join(fileOf(driven.final.uri), 'config.json'), '{"damaged": true}');
    expect(await problems()).toEqual([expect.stringMatching(/^phase-2\/3 .*config\.json is damaged/)]);
  });
});

const AS_LOGGED = { difference: null, kept: true, tolerance: null };

describe('redoing', () => {
  test('every step gives the same bits on another engine', async () => {
    const deps = { store: small.store, engine: new FakeEngine() };
    for (const { record } of await log()) expect(await redo(deps, record, unsupervised())).toEqual(AS_LOGGED);
  });

  test('says what came out otherwise first', async () => {
    const deps = { store: small.store, engine: new FakeEngine() };
    const { record } = (await log()).at(-1)!;
    const other = { ...record, result: { ...record.result, sha256: 'f'.repeat(64) } };
    const { sha256 } = record.result;
    expect(await redo(deps, other, unsupervised())).toEqual({
      difference: { field: 'sha256', logged: 'f'.repeat(64), redone: sha256, apart: null },
      kept: false,
      tolerance: null,
    });
    const metrics = record.metrics.map(one => ({ ...one, loss: one.loss + 1 }));
    expect(await redo(deps, { ...record, metrics }, unsupervised())).toMatchObject({
      difference: { field: 'metrics[0].loss' },
      kept: false,
    });
  });
});

describe('lineage', () => {
  test('a stretch for each stage, from the base to the policy asked for', async () => {
    const lineage = await lineageOf(small.store, 'run', driven.final.name.slice(0, 8));
    expect(lineage?.base).toEqual(driven.base);
    expect(lineage?.stretches.map(({ stage, from, to }) => [stage, from, to])).toEqual([
      ['warmup', 1, 2],
      ['phase-1', 1, 3],
      ['phase-2', 1, 3],
    ]);
    expect(lineage?.stretches.at(-1)?.policy.sha256).toBe(driven.final.sha256);
    expect(lineage?.stretches[0]?.code?.longhaul).toMatch(/^\d+\.\d+\.\d+/);
    const logged = await Promise.all([1, 2, 3].map(step => small.store.list(`store:runs/run/phase-1/1/steps/${step}`)));
    // Rollouts and scores of every round.
    expect(lineage?.stretches[1]?.data).toHaveLength(logged.flat().filter(file => file.endsWith('.jsonl')).length);
  });

  test('of the base there is none, of an unknown policy no answer', async () => {
    expect((await lineageOf(small.store, 'run', driven.base.name))?.stretches).toEqual([]);
    expect(await lineageOf(small.store, 'run', 'f'.repeat(32))).toBeNull();
    expect(await lineageOf(small.store, 'nowhere', driven.final.name)).toBeNull();
  });
});

describe('a run whose snapshots within stages are gone', () => {
  beforeEach(async () => {
    await small.remove();
    small = await smallRun();
    Object.assign(small.spec, { checkpoints: { everySteps: 1, keep: 1 } });
    driven = await driveRun(small);
  });

  test('has its ends alone, holds together, and every step of it is redone to the same bits', async () => {
    // The base and what the three stages ended with.
    expect(await small.store.list('store:runs/run/checkpoints')).toHaveLength(4);
    expect(await problems()).toEqual([]);
    const deps = { store: small.store, engine: new FakeEngine() };
    for (const { record } of (await log()).reverse())
      expect(await redo(deps, record, unsupervised())).toEqual(AS_LOGGED);
  });

  test('has the lineage that it had, of policies in the middle too', async () => {
    const [, middle] = (await log()).filter(({ stage }) => stage.stage === 'phase-1');
    const lineage = await lineageOf(small.store, 'run', middle!.record.result.name);
    expect(lineage?.stretches.map(({ stage, from, to }) => [stage, from, to])).toEqual([
      ['warmup', 1, 3],
      ['phase-1', 1, 2],
    ]);
  });

  test('one that goes while the log is checked is no fault; one that is damaged is', async () => {
    const { localFolder } = small.store;
    small.store.localFolder = async uri => {
      if (uri === driven.final.uri) await small.store.remove(uri);
      return localFolder.call(small.store, uri);
    };
    expect(await problems()).toEqual([]);
    expect(await small.store.has(driven.final.uri)).toBe(false);
    await writeFile(join(fileOf(checkpointUri('run', driven.sft.name)), 'optimizer.safetensors'), 'damaged');
    expect(await problems()).toEqual([expect.stringMatching(/^warmup\/3 .*optimizer\.safetensors is damaged/)]);
  });

  test('is exported', async () => {
    const result = { run: 'run', policy: driven.final, stages: [], evaluations: [] };
    await small.run(createActivities(small.deps).exportPolicy, result);
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const target = join(small.folder, 'out');
    await exportCommand().parseAsync(['run', target, '--store', small.store.root], { from: 'user' });
    expect(sha256(await readFile(join(target, 'model.safetensors')))).toBe(driven.final.sha256);
  });
});

test('of a branch: verified from what it began with, its lineage goes back through the other run', async () => {
  const prepareRun = (await import('../../../activities/run/prepare-run.js')).prepareRun(small.deps);
  // Phase 1 of the other run must be closed first.
  const { summarizeSteps } = await import('../../../activities/training/record-phase.js');
  for (const [stage, steps] of [
    ['warmup', 2],
    ['phase-1', 3],
  ] as const) {
    await small.run(summarizeSteps(small.deps), { stage: { run: 'run', stage, attempt: 1 }, steps });
  }
  const plan = await small.run(prepareRun, { run: 'side', input: { from: 'run/phase-2' } });
  expect(plan.stages.map(({ name }) => name)).toEqual(['phase-2']);
  const phase1 = (await log()).find(({ stage, step }) => stage.stage === 'phase-1' && step === 3)!;
  expect(plan.branch).toMatchObject({ of: 'run', first: 'phase-2', policy: { name: phase1.record.result.name } });
  expect(plan.branch?.difficulties).toHaveLength(1);
});

test('a step logged again by another version of the code is the same step; with other content it is not', async () => {
  const { record } = (await log()).at(-1)!;
  await logStep(small.store, { ...record, code: { longhaul: '99.0.0', onnxruntime: '99.0.0' } });
  await expect(logStep(small.store, { ...record, step: record.step, metrics: [] })).rejects.toThrow('other content');
});
