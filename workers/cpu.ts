/** The CPU worker: workflows, and the activities that need no model. */
import { TASK_QUEUE } from '../activities/contract/index.js';
import type { Dependencies } from '../activities/dependencies.js';
import { createControlActivities } from '../activities/index.js';
import { BUNDLE_FILE } from './bundle.js';
import { refuseOtherStores } from './store-check.js';
import { withTelemetry } from './telemetry.js';
import type { Work } from './work.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export async function runCpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  await withTelemetry('cpu', options.telemetry ?? {}, async telemetry => {
    const dependencies = telemetry.dependencies(await workerDependencies(options));
    const work = telemetry.work(cpuWork(dependencies));
    await runWorker(options, work, async client => {
      await refuseOtherStores(client, dependencies.store, options);
      await telemetry.connected(client);
    });
  });
}

export const cpuWork = (dependencies: Dependencies): Work => ({
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: BUNDLE_FILE },
  activities: createControlActivities(dependencies),
});
