/** The GPU worker whose engine is a training service of others: one policy there, so one activity at a time. */
import { createTinkerEngine, type TinkerSettings } from '../activities/engine/tinker/index.js';
import { engineWork } from './engine-work.js';
import { ExaminedService } from './examined-service.js';
import { refuseUnservedRuns } from './service-check.js';
import { refuseOtherStores } from './store-check.js';
import { type Telemetry, withTelemetry } from './telemetry.js';
import { type LonghaulWorkerOptions, runWorker, workerDependencies } from './worker.js';

export interface TinkerWorkerOptions extends LonghaulWorkerOptions {
  service: TinkerSettings;
}

/** Seconds that the service may be away when the worker starts; later it is waited for longer. */
const PATIENCE = 15;
/** Models that are named when the worker is ready. */
const NAMED = 5;

/** @throws where the service is away, does not take the key, or speaks another protocol: before any work is taken */
export function runTinkerWorker(options: TinkerWorkerOptions): Promise<void> {
  return withTelemetry('gpu', options.telemetry ?? {}, telemetry => runServiceWorker(options, telemetry));
}

async function runServiceWorker(options: TinkerWorkerOptions, telemetry: Telemetry): Promise<void> {
  const dependencies = telemetry.dependencies(await workerDependencies(options));
  const { url } = options.service;
  const tinker = createTinkerEngine(options.service);
  const engine = telemetry.engine(tinker);
  try {
    const served = (await createTinkerEngine({ patience: PATIENCE, ...options.service }).serves()).map(
      ({ name }) => name,
    );
    const service = new ExaminedService(tinker);
    const more = served.length > NAMED ? ` and ${served.length - NAMED} more` : '';
    await runWorker(
      {
        ...options,
        onReady: () => options.onReady?.(`${url} serves ${served.slice(0, NAMED).join(', ')}${more}`),
      },
      telemetry.work(engineWork('tinker', { ...dependencies, engine, service, numerics: service.numerics })),
      async client => {
        await refuseOtherStores(client, dependencies.store, options);
        await refuseUnservedRuns(client, dependencies.store, { service, url }, options.deployment);
      },
    );
  } finally {
    await engine.close();
  }
}
