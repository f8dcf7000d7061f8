/** Workers at a test's server as they are on machines of their own: one for control, and one for each engine. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { createControlActivities } from '../../activities/index.js';
import { engineWork } from '../../workers/engine-work.js';
import type { Work } from '../../workers/work.js';
import type { FakeEngine } from './fake-engine.js';
import type { SmallRun } from './small-run.js';
import type { TestServer } from './temporal-server.js';

type Stop = () => Promise<void>;

async function start(connection: NativeConnection, work: Work): Promise<Stop> {
  const worker = await Worker.create({
    connection,
    ...work,
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

export const startControlWorker = ({ env, bundle }: TestServer, { deps }: SmallRun): Promise<Stop> =>
  start(env.nativeConnection, {
    taskQueue: TASK_QUEUE,
    workflowBundle: bundle,
    activities: createControlActivities(deps),
  });

/** By a connection of its own, as a worker elsewhere. */
export async function startGpuWorker({ env }: TestServer, { deps }: SmallRun, engine: FakeEngine): Promise<Stop> {
  const connection = await NativeConnection.connect({ address: env.address });
  const stop = await start(connection, engineWork('onnx', { ...deps, engine }));
  return async () => {
    await stop();
    await connection.close();
  };
}
