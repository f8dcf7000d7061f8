/** A real Temporal development server for a test file, and workers on it with the fake engine. */
import { resolve } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createControlActivities, createEngineActivities } from '../../activities/index.js';
import { findTemporal } from '../../infra/local/temporal-binary.js';
import { GPU_TASK_QUEUE, TASK_QUEUE } from '../../workflows/contract.js';
import type { SmallRun } from './small-run.js';

export interface TestServer {
  env: TestWorkflowEnvironment;
  bundle: { code: string };
  temporal: string;
}

/** @param dynamicConfig further server settings, `key=value` */
export async function startServer(dynamicConfig: string[] = []): Promise<TestServer> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const temporal = await findTemporal();
  const settings = ['history.transferProcessorMaxPollRPS=2000', ...dynamicConfig];
  const [env, bundle] = await Promise.all([
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: temporal },
        extraArgs: settings.flatMap(setting => ['--dynamic-config-value', setting]),
        log: { format: 'pretty', level: 'error' },
      },
    }),
    bundleWorkflowCode({
      workflowsPath: resolve(__dirname, '../../workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
    }),
  ]);
  return { env, bundle, temporal };
}

/** Runs both workers while `use` does its work. */
export async function withWorkers<T>(
  { env, bundle }: TestServer,
  { deps }: SmallRun,
  use: () => Promise<T>,
): Promise<T> {
  const common = {
    connection: env.nativeConnection,
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
  };
  const cpu = await Worker.create({
    ...common,
    taskQueue: TASK_QUEUE,
    workflowBundle: bundle,
    activities: createControlActivities(deps),
  });
  const gpu = await Worker.create({
    ...common,
    taskQueue: GPU_TASK_QUEUE,
    maxConcurrentActivityTaskExecutions: 1,
    activities: createEngineActivities(deps),
  });
  return gpu.runUntil(() => cpu.runUntil(use));
}
