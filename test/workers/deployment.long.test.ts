/** Versions of workers on the real server, switched by the Temporal CLI as docs/clusters.md shows. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { type CurriculumResult, type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import type { Deployment } from '../../workers/deployment.js';
import { openWorkflows } from '../../workers/open-workflows.js';
import { curriculum } from '../../workflows/index.js';
import { FakeEngine } from '../support/fake-engine.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, startWorkers, type TestServer, until } from '../support/temporal-server.js';

const execute = promisify(execFile);

let server: TestServer;
let expected: string;
beforeAll(async () => {
  server = await startServer();
  const undisturbed = await smallRun();
  const stop = await startWorkers(server, undisturbed);
  const { policy } = await server.env.client.workflow.execute(curriculum, {
    ...{ workflowId: 'undisturbed', taskQueue: TASK_QUEUE, args: [undisturbed.spec] },
  });
  expected = policy.sha256;
  await stop();
  await undisturbed.remove();
});
afterAll(() => server.env.teardown());

let small: SmallRun;
let later: FakeEngine;
let stops: (() => Promise<void>)[];
beforeEach(async () => {
  small = await smallRun();
  later = new FakeEngine();
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  await small.remove();
});

/** Workers of one build, on the same store; the next build's have an engine of their own. */
async function startBuild(deployment: Deployment | undefined, engine = small.engine): Promise<() => Promise<void>> {
  let running: (() => Promise<void>) | null = await startWorkers(
    server,
    { ...small, deps: { ...small.deps, engine } },
    deployment,
  );
  const stop = async () => {
    await running?.();
    running = null;
  };
  stops.push(stop);
  return stop;
}

const setCurrent = ({ name, buildId }: Deployment) => {
  const version = ['--deployment-name', name, '--build-id', buildId, '--yes', '--address', server.env.address];
  return execute(server.temporal, ['worker', 'deployment', 'set-current-version', ...version]);
};

/** Refused until workers of the build are known to poll both queues. */
const makeCurrent = (build: Deployment): Promise<void> =>
  until(() =>
    setCurrent(build).then(
      () => true,
      () => false,
    ),
  );

/** A run that stands still in the middle. */
async function pausedRun(workflowId: string): Promise<WorkflowHandle<typeof curriculum>> {
  const { workflow } = server.env.client;
  small.engine.generateMs = 400;
  const handle = await workflow.start(curriculum, { workflowId, taskQueue: TASK_QUEUE, args: [small.spec] });
  await pausedAfter(handle, 'phase-1');
  return handle;
}

/** Pauses the run once this stage has made a step. */
async function pausedAfter(handle: WorkflowHandle<typeof curriculum>, stage: string): Promise<void> {
  // By the store: a short stage is over before it reports.
  await until(() => small.store.has(`store:runs/${handle.workflowId}/${stage}/1/steps/1/update.json`));
  await handle.executeUpdate('pause');
  await until(async () => (await handle.query<Progress>('progress')).state === 'paused');
}

/** Builds that completed the workflow's tasks, each once, in order; null stands for workers without a version. */
async function buildsOf(workflowId: string): Promise<(string | null)[]> {
  const { events } = await server.env.client.workflow.getHandle(workflowId).fetchHistory();
  const completed = (events ?? []).flatMap(event => event.workflowTaskCompletedEventAttributes ?? []);
  return [...new Set(completed.map(task => task.deploymentVersion?.buildId || null))];
}

/** Waits until these are the workflows that workers of the build could be given: what the server lists comes late. */
function couldBeGiven(deployment: Deployment | undefined, ...workflows: string[]): Promise<void> {
  return until(async () => {
    const found: string[] = [];
    for await (const { workflowId } of openWorkflows(server.env.client, deployment)) found.push(workflowId);
    return found.sort().join() === workflows.join();
  });
}

async function ends(handle: WorkflowHandle<typeof curriculum>): Promise<CurriculumResult> {
  await handle.executeUpdate('resume');
  return handle.result();
}

const build = (name: string, buildId: string, pinned = false): Deployment => ({ name, buildId, pinned });

test('a run goes on under the first build after none, and under the next, to the same weights', async () => {
  const stopUnversioned = await startBuild(undefined);
  const handle = await pausedRun('upgraded');
  const [v1, v2] = [build('upgraded', '1'), build('upgraded', '2')];
  await couldBeGiven(v1, 'upgraded', 'upgraded/phase-1/1');
  const stopFirst = await startBuild(v1);
  await makeCurrent(v1);
  await stopUnversioned();
  await handle.executeUpdate('resume');
  await pausedAfter(handle, 'phase-2');
  await couldBeGiven(v2, 'upgraded', 'upgraded/phase-2/1');
  await couldBeGiven(undefined, 'upgraded', 'upgraded/phase-2/1');

  // As where its workers have refused to start.
  await expect(setCurrent(v2)).rejects.toThrow(/not found|no pollers/i);
  await startBuild(v2, later);
  await makeCurrent(v2);
  await stopFirst();
  expect((await ends(handle)).policy.sha256).toBe(expected);
  expect(await buildsOf('upgraded')).toEqual([null, '1', '2']);
  expect(await buildsOf('upgraded/phase-1/1')).toEqual([null, '1']);
  expect(await buildsOf('upgraded/phase-2/1')).toEqual(['1', '2']);
  expect(await buildsOf('upgraded/evaluation/final')).toEqual(['2']);
});

test('a pinned run stays with its build, engine and children included, while another is current', async () => {
  const [v1, v2] = [build('kept', '1', true), build('kept', '2', true)];
  await startBuild(v1);
  await makeCurrent(v1);
  const handle = await pausedRun('kept');
  await couldBeGiven(v1, 'kept', 'kept/phase-1/1');
  await couldBeGiven(v2);
  await couldBeGiven(undefined);

  await startBuild(v2, later);
  await makeCurrent(v2);
  expect((await ends(handle)).policy.sha256).toBe(expected);
  for (const workflow of ['kept', 'kept/warmup/1', 'kept/phase-1/1', 'kept/phase-2/1', 'kept/evaluation/final'])
    expect([workflow, ...(await buildsOf(workflow))]).toEqual([workflow, '1']);
  expect(later.calls).toEqual([]);
});
