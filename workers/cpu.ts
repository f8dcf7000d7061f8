/** The CPU worker: workflows, and the activities that need no model. */
import { createControlActivities } from '../activities/index.js';
import { TASK_QUEUE } from '../workflows/contract.js';
import { BUNDLE_FILE } from './bundle.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export async function runCpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  const dependencies = await workerDependencies(options);
  await runWorker(options, {
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: BUNDLE_FILE },
    activities: createControlActivities(dependencies),
  });
}
