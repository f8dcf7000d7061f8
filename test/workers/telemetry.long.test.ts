/** A run on workers that show metrics and traces, against a real server: what they show, and that it changes nothing. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { type CurriculumResult, TASK_QUEUE } from '../../activities/contract';
import { findTemporal } from '../../infra/local/temporal-binary';
import { TRACED_BUNDLE_FILE } from '../../workers/bundle';
import { cpuWork } from '../../workers/cpu';
import { engineWork } from '../../workers/engine-work';
import { Telemetry } from '../../workers/telemetry';
import type { Work } from '../../workers/work';
import { curriculum } from '../../workflows';
import { Collector } from '../support/collector';
import { driveRun } from '../support/drive';
import { parseExposition, sampleOf } from '../support/exposition';
import { type SmallRun, smallRun } from '../support/small-run';
import { bundleSources } from '../support/temporal-server';

const HISTORIES = resolve(__dirname, '../fixtures/histories');

const collector = new Collector();
let telemetry: Telemetry;
let env: TestWorkflowEnvironment;
let small: SmallRun;
let works: [cpu: Work, gpu: Work];
let result: CurriculumResult;
let page: string;
let stop = async () => {};

beforeAll(async () => {
  const otlp = await collector.start();
  telemetry = await Telemetry.start('gpu', { metrics: { port: 0, host: '127.0.0.1' }, otlp });
  env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: await findTemporal() },
      log: { format: 'pretty', level: 'error' },
    },
  });
  small = await smallRun();
  const deps = { ...telemetry.dependencies(small.deps), engine: telemetry.engine(small.engine) };
  const work = telemetry.work(cpuWork(deps));
  expect(work.workflowBundle).toEqual({ codePath: TRACED_BUNDLE_FILE });
  works = [{ ...work, workflowBundle: await bundleSources(true) }, telemetry.work(engineWork('onnx', deps))];
  await telemetry.connected(env.client);
  const workers = await Promise.all(works.map(work => Worker.create({ connection: env.nativeConnection, ...work })));
  const running = workers.map(worker => worker.run());
  stop = async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running);
  };
  const run = { workflowId: 'run', taskQueue: TASK_QUEUE, args: [small.spec] as [typeof small.spec] };
  result = await env.client.workflow.execute(curriculum, run);
  page = await (await fetch(telemetry.url!)).text();
  await stop();
  await telemetry.close();
}, 120_000);
afterAll(async () => {
  await stop();
  await env?.teardown();
  await small?.remove();
  await collector.stop();
});

test('it ends in the same policy as without', async () => {
  const plain = await smallRun();
  try {
    const { final } = await driveRun({ ...plain, spec: small.spec });
    expect(result.policy).toEqual(final);
  } finally {
    await plain.remove();
  }
});

test("metrics of ours and of the SDK's are on one page, which is valid", () => {
  const families = parseExposition(page);
  expect(sampleOf(families, 'longhaul_last_step', { run: 'run', stage: 'phase-2' })).toBe(3);
  expect(sampleOf(families, 'longhaul_open_runs')).toBe(0);
  expect(sampleOf(families, 'longhaul_evaluation_score_ratio', { run: 'run', policy: 'final' })).toBeDefined();
  expect(sampleOf(families, 'temporal_request', { operation: 'RespondActivityTaskCompleted' })).toBeGreaterThan(10);
});

test('a trace leads from the run to the operations of the engine', () => {
  const update = collector.spans.find(({ name }) => name === 'engine:update')!;
  expect(collector.pathOf(update)).toEqual([
    'engine:update',
    'RunActivity:trainSteps',
    'StartActivity:trainSteps',
    'RunWorkflow:phase',
    'StartChildWorkflow:phase',
    'RunWorkflow:curriculum',
  ]);
  expect(update).toMatchObject({ service: 'longhaul-gpu-worker', attributes: { 'longhaul.loss': expect.any(Number) } });
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(collector.strays).toEqual([]);
  const engine = collector.spans.filter(({ name }) => name.startsWith('engine:'));
  expect(engine.map(({ name }) => name.slice('engine:'.length)).sort()).toEqual([...small.engine.calls].sort());
});

test('histories of runs replay whichever way they were made: traced on plain workflows, and those recorded on traced ones', async () => {
  const [{ workflowBundle, sinks }] = works as [Required<Work>, Work];
  const failures: string[] = [];
  const replayed = async (workflows: Parameters<typeof Worker.runReplayHistories>[0], histories: Histories) => {
    for await (const { workflowId, error } of Worker.runReplayHistories(workflows, histories)) {
      if (error) failures.push(`${workflowId}: ${error.message}`);
    }
  };
  const ids = ['run', 'run/warmup/1', 'run/phase-1/1', 'run/phase-2/1', 'run/evaluation/final'];
  const traced = await Promise.all(
    ids.map(async workflowId => ({
      workflowId,
      history: await env.client.workflow.getHandle(workflowId).fetchHistory(),
    })),
  );
  await replayed({ workflowBundle: await bundleSources() }, traced);
  await replayed({ workflowBundle, sinks }, [...traced, ...(await recorded())]);
  expect(failures).toEqual([]);
});

type Histories = { workflowId: string; history: unknown }[];

async function recorded(): Promise<Histories> {
  const releases = await readdir(HISTORIES);
  const files = (
    await Promise.all(releases.map(async one => (await readdir(join(HISTORIES, one))).map(f => [one, f])))
  ).flat();
  return Promise.all(
    files.map(async ([release, file]) => ({
      workflowId: file!.replace(/\.json$/, '').replaceAll('.', '/'),
      history: JSON.parse(await readFile(join(HISTORIES, release!, file!), 'utf8')) as unknown,
    })),
  );
}

test('a port that is taken is said before any work', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await expect(Telemetry.start('cpu', { metrics: { port, host: '127.0.0.1' } })).rejects.toThrow(
    `--metrics-port ${port}: no metrics can be served at 127.0.0.1:${port} (the port is taken)`,
  );
  other.close();
});
