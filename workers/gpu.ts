/** The GPU worker: one engine, so one activity at a time. It is named for where it is best put; a CPU serves too. */
import { createEngine, engineSettings } from '../activities/engine/process/index.js';
import { measureNumerics } from '../activities/provenance/index.js';
import { engineWork } from './engine-work.js';
import { refuseOtherNumerics } from './numerics-check.js';
import { refuseOtherStores } from './store-check.js';
import { type Telemetry, withTelemetry } from './telemetry.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export function runGpuWorker(options: LonghaulWorkerOptions): Promise<void> {
  return withTelemetry('gpu', options.telemetry ?? {}, telemetry => runEngineWorker(options, telemetry));
}

async function runEngineWorker(options: LonghaulWorkerOptions, telemetry: Telemetry): Promise<void> {
  const dependencies = telemetry.dependencies(await workerDependencies(options));
  const engine = telemetry.engine(createEngine({ ...options.engine, ...telemetry.engineOptions() }));
  try {
    // Refuses a provider that is not there before any work is taken.
    const numerics = await measureNumerics(engine, options.engine?.provider ?? engineSettings().provider);
    const work = telemetry.work(engineWork('onnx', { ...dependencies, engine, numerics }));
    await runWorker(options, work, async client => {
      await refuseOtherStores(client, dependencies.store, options);
      await refuseOtherNumerics(client, dependencies.store, numerics, options);
    });
  } finally {
    await engine.close();
  }
}
