/** The GPU worker: one engine, so one activity at a time. It is named for where it is best put; a CPU serves too. */
import { createEngine } from '../activities/engine/host.js';
import { createEngineActivities } from '../activities/index.js';
import { GPU_TASK_QUEUE } from '../workflows/contract.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export async function runGpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  const dependencies = await workerDependencies(options);
  const engine = createEngine(options.engine);
  try {
    // Refuses a provider that is not there before any work is taken.
    await engine.call('status', {});
    await runWorker(
      options,
      {
        taskQueue: GPU_TASK_QUEUE,
        maxConcurrentActivityTaskExecutions: 1,
        activities: createEngineActivities({ ...dependencies, engine }),
      },
      async () => {},
    );
  } finally {
    await engine.close();
  }
}
