/** A run whose rollouts and evaluations several engines share, against the same run on one engine that knows nothing of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CurriculumResult,
  type EvaluationSpecInput,
  type EvaluationSummary,
  TASK_QUEUE,
} from '../../activities/contract/index.js';
import { sha256 } from '../../activities/store/index.js';
import { curriculum } from '../../workflows/index.js';
import { FakeEngine } from '../support/fake-engine.js';
import { startControlWorker, startGpuWorker } from '../support/gpu-workers.js';
import { smallEvaluation } from '../support/small-evaluation.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { replay, startServer, type TestServer } from '../support/temporal-server.js';

let server: TestServer;
let small: SmallRun;
let stopControl: () => Promise<void>;
/** On one engine, nothing cut. */
let whole: CurriculumResult;

beforeAll(async () => {
  server = await startServer();
  small = await smallRun();
  // So that a step's snapshots are seldom: an engine that lacks a policy would have to redo steps.
  Object.assign(small.spec, { checkpoints: { everySteps: 100 } });
  stopControl = await startControlWorker(server, small);
  whole = await onEngines([new FakeEngine()], () => runOf('whole', small.spec));
});
afterAll(async () => {
  await stopControl?.();
  await server?.env.teardown();
  await small.remove();
});

async function onEngines<T>(engines: FakeEngine[], work: () => Promise<T>): Promise<T> {
  const stops = await Promise.all(engines.map(engine => startGpuWorker(server, small, engine)));
  try {
    return await work();
  } finally {
    await Promise.all(stops.map(stop => stop()));
  }
}

const runOf = (workflowId: string, spec: object): Promise<CurriculumResult> =>
  server.env.client.workflow.execute(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [{ ...spec }] });

/** Engines that take so long over what they generate that all get their share. */
const engines = (count: number): FakeEngine[] =>
  Array.from({ length: count }, () => Object.assign(new FakeEngine(), { generateMs: 150 }));

const callsOf = (engine: FakeEngine, operation: string) => engine.calls.filter(call => call === operation).length;

/** Hashes of all files of a run's steps, by their path. */
async function stepsOf(run: string): Promise<Record<string, string>> {
  const folder = join(small.store.root, 'runs', run);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    file => file.isFile() && /\/steps\/\d+$/.test(file.parentPath),
  );
  const entries = files.map(async ({ parentPath, name }) => {
    const text = await readFile(join(parentPath, name), 'utf8');
    const nameless = text.replaceAll(`runs/${run}/`, 'runs/RUN/').replaceAll(`"run": "${run}"`, '"run": "RUN"');
    return [join(parentPath, name).slice(folder.length), sha256(nameless)] as const;
  });
  return Object.fromEntries((await Promise.all(entries)).sort());
}

/** What a run is, whatever its name. */
const bitsOf = ({ policy, evaluations, stages }: CurriculumResult) => ({
  policy: [policy.name, policy.sha256],
  stages: stages.map(({ name, policy }) => [name, policy.name, policy.sha256]),
  rows: evaluations.map(({ uri: _, ...row }) => row),
});

test.each([2, 3, 7])(
  'in %i shards, on two engines, a run comes to the bits of one engine, step by step',
  async shards => {
    const run = `in-${shards}`;
    const both = engines(2);
    const shared = await onEngines(both, () => runOf(run, { ...small.spec, shards }));
    expect(bitsOf(shared)).toEqual(bitsOf(whole));
    expect(await stepsOf(run)).toEqual(await stepsOf('whole'));
    for (const engine of both) expect(callsOf(engine, 'generate')).toBeGreaterThan(5);
    // Weights are handed over; hardly a step is made twice.
    const trained = both.reduce((sum, engine) => sum + callsOf(engine, 'update'), 0);
    expect(trained).toBeLessThan(1.5 * 12);
    expect(await small.store.list(`store:runs/${run}/weights`)).toEqual([]);
    await replay(server, `${run}/phase-1/1`);
    await replay(server, `${run}/evaluation/final`);
  },
);

test('an engine that dies in a shard, whichever, loses that shard', async () => {
  const both = engines(2);
  both[0]!.dieAt = 40;
  both[1]!.dieAt = 25;
  const shared = await onEngines(both, () => runOf('dying', { ...small.spec, shards: 4 }));
  expect(bitsOf(shared)).toEqual(bitsOf(whole));
  expect(await stepsOf('dying')).toEqual(await stepsOf('whole'));
});

test('an evaluation that stands alone is shared too', async () => {
  const evaluate = (workflowId: string, over: object): Promise<EvaluationSummary> =>
    server.env.client.workflow.execute<(input: EvaluationSpecInput) => Promise<EvaluationSummary>>('evaluation', {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [smallEvaluation(small, { ...over })],
    });
  const alone = await onEngines([new FakeEngine()], () => evaluate('trial/whole', { label: 'm' }));
  const both = engines(2);
  // The second time with its work cut otherwise, as it may go on.
  const [shared, again] = await onEngines(both, async () => [
    await evaluate('trial/shared', { label: 'm', shards: 4 }),
    await evaluate('trial/shared', { label: 'm', shards: 2 }),
  ]);
  const rows = ({ rows }: EvaluationSummary) => rows.map(({ uri: _, ...row }) => row);
  expect(rows(shared!)).toEqual(rows(alone));
  for (const engine of both) expect(callsOf(engine, 'generate')).toBeGreaterThan(0);
  expect(rows(again!)).toEqual(rows(alone));
});
