/** The CPU worker: workflows, and the activities that need no model. */
import { TASK_QUEUE } from '../activities/contract/index.js';
import type { Dependencies } from '../activities/dependencies.js';
import { createControlActivities } from '../activities/index.js';
import { BUNDLE_FILE } from './bundle.js';
import { refuseOtherStores } from './store-check.js';
import { type LonghaulWorkerOptions, runWorker, type Work, workerDependencies } from './worker.js';

export async function runCpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  const dependencies = await workerDependencies(options);
  await runWorker(options, cpuWork(dependencies), client =>
    refuseOtherStores(client, dependencies.store, options.deployment),
  );
}

export const cpuWork = (dependencies: Dependencies): Work => ({
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: BUNDLE_FILE },
  activities: createControlActivities(dependencies),
});
