/** The CPU worker: workflows, and the activities that need no model. */
import { createControlActivities } from '../activities/index.js';
import { TASK_QUEUE } from '../workflows/contract.js';
import { BUNDLE_FILE } from './bundle.js';
import { refuseIncompatibleRuns } from './upgrade-check.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export async function runCpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  const dependencies = await workerDependencies(options);
  const workflowBundle = { codePath: BUNDLE_FILE };
  await runWorker(
    options,
    { taskQueue: TASK_QUEUE, workflowBundle, activities: createControlActivities(dependencies) },
    client => refuseIncompatibleRuns(client, workflowBundle, options.deployment),
  );
}
