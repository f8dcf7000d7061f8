/** The GPU worker: one engine, so one activity at a time. It is named for where it is best put; a CPU serves too. */
import { createEngine, engineSettings } from '../activities/engine/process/index.js';
import { measureNumerics } from '../activities/provenance/index.js';
import { engineWork } from './engine-work.js';
import { refuseOtherNumerics } from './numerics-check.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export async function runGpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  const dependencies = await workerDependencies(options);
  const engine = createEngine(options.engine);
  try {
    // Refuses a provider that is not there before any work is taken.
    const numerics = await measureNumerics(engine, options.engine?.provider ?? engineSettings().provider);
    await runWorker(options, engineWork('onnx', { ...dependencies, engine, numerics }), client =>
      refuseOtherNumerics(client, dependencies.store, numerics, options),
    );
  } finally {
    await engine.close();
  }
}
