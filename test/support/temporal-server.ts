/** A real Temporal development server for a test file, and workers on it with the fake engine. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { GPU_TASK_QUEUE, TASK_QUEUE } from '../../activities/contract/index.js';
import { type ControlActivities, createControlActivities, createEngineActivities } from '../../activities/index.js';
import { SERVER_SETTINGS } from '../../infra/local/stack.js';
import { findTemporal } from '../../infra/local/temporal-binary.js';
import { BUNDLE_FILE, bundleWorkflows, TRACED_BUNDLE_FILE } from '../../workers/bundle.js';
import { type Deployment, deploymentOptions } from '../../workers/deployment.js';
import type { SmallRun } from './small-run.js';

const { sourcesChanged } = require('../../infra/bin/setup.js') as { sourcesChanged(root: string): string | null };

export interface TestServer {
  env: TestWorkflowEnvironment;
  bundle: { code: string };
  temporal: string;
}

/** @param dynamicConfig server settings beside the local stack's, `key=value` */
export async function startServer(dynamicConfig: string[] = []): Promise<TestServer> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const temporal = await findTemporal();
  const settings = [...SERVER_SETTINGS, ...dynamicConfig];
  const [env, bundle] = await Promise.all([
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: temporal },
        extraArgs: settings.flatMap(setting => ['--dynamic-config-value', setting]),
        log: { format: 'pretty', level: 'error' },
      },
    }),
    bundleSources(),
  ]);
  return { env, bundle, temporal };
}

const CHECKOUT = resolve(__dirname, '../..');

/** Today's workflows: the build's bundle where the build is of today's sources, as under `npm test`; else one made now. */
export async function bundleSources(traced = false): Promise<{ code: string }> {
  const built = basename(traced ? TRACED_BUNDLE_FILE : BUNDLE_FILE);
  if (sourcesChanged(CHECKOUT) === null) return { code: await readFile(join(CHECKOUT, 'dist', built), 'utf8') };
  return { code: await bundleWorkflows({ traced }) };
}

/**
 * Starts both workers, of a build where one is given; gives the function that stops them.
 * @param others activities in place of today's
 */
export async function startWorkers(
  { env, bundle }: TestServer,
  { deps }: SmallRun,
  deployment?: Deployment,
  others: Partial<ControlActivities> = {},
): Promise<() => Promise<void>> {
  const common = {
    ...deploymentOptions(deployment),
    connection: env.nativeConnection,
    identity: 'test',
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
  };
  const workers = [
    await Worker.create({
      ...common,
      taskQueue: TASK_QUEUE,
      workflowBundle: bundle,
      activities: { ...createControlActivities(deps), ...others },
    }),
    await Worker.create({
      ...common,
      taskQueue: GPU_TASK_QUEUE,
      maxConcurrentActivityTaskExecutions: 1,
      activities: createEngineActivities(deps),
    }),
  ];
  const running = workers.map(worker => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  };
}

/** Runs a finished workflow's history through today's workflow code; throws if they disagree. */
export async function replay({ env, bundle }: TestServer, workflowId: string): Promise<void> {
  const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: bundle, replayName: workflowId }, history, workflowId);
}

/** Waits until `holds` is true; fails when it takes longer than `limitMs`, which a busy machine must be able to meet. */
export async function until(holds: () => Promise<boolean>, limitMs = 40_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`still not so after ${limitMs} ms: ${holds}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
