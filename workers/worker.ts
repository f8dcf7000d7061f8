/** What both kinds of worker have in common. */
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { openSource } from '../activities/datasets/index.js';
import type { Dependencies } from '../activities/dependencies.js';
import type { EngineSettings } from '../activities/engine/process/index.js';
import { createRewarder } from '../activities/rewards/index.js';
import type { ExportSettings } from '../activities/spec/index.js';
import { openStore } from '../activities/store/index.js';
import { createModels } from '../activities/text/index.js';
import { type ConnectionFlags, connectionSettings } from './connection.js';
import { type Deployment, deploymentOptions } from './deployment.js';
import { InHand } from './in-hand.js';
import type { TelemetrySettings } from './telemetry.js';
import { refuseIncompatibleRuns } from './upgrade-check.js';
import type { Work } from './work.js';

export interface LonghaulWorkerOptions {
  connection: ConnectionFlags;
  /** Root folder of the store. */
  store: string;
  /** Folder of this machine's workers, where they write down what they have in hand. */
  inHand: string;
  /** Folder where models and data sets from the Hugging Face Hub are kept. */
  modelCache: string;
  /** A preset's spec as written, by name; throws if there is none. */
  readPreset(name: string): Promise<unknown>;
  /** The build that it is of, where workers are versioned. */
  deployment?: Deployment;
  /** Where it runs an engine: how that uses the machine. */
  engine?: Partial<EngineSettings>;
  /** Where it runs an engine: go on with runs whose last step another engine's numerics made. */
  acceptOtherNumerics?: boolean;
  /** What it shows of itself; nothing unless told. */
  telemetry?: TelemetrySettings;
  /** Where metrics of runs go whose specs do not say. */
  exportTo?: ExportSettings;
  /** Stops the worker: it finishes or hands back what it is doing. SIGINT and SIGTERM do the same. */
  stop?: AbortSignal;
  /** Called once the worker polls, with what there is to say of its engine. */
  onReady?: (engine?: string) => void;
}

/** Time in which a stopping worker may finish its work before it is handed back, and in which it must have done that. */
const SHUTDOWN_GRACE = '5 seconds';
const SHUTDOWN_FORCE = '30 seconds';
/** How often a heartbeat reaches the server, so how soon a cancelled activity hears of it. */
const HEARTBEAT_EVERY = '2 seconds';
/** A workflow's next task waits so long for the worker that knows it, and is then given to any: that one may be dead. */
const STICKY_TIMEOUT = '3 seconds';

const SWEEP_EVERY_MS = 6 * 60 * 60 * 1000;

export async function workerDependencies(options: LonghaulWorkerOptions): Promise<Dependencies> {
  const store = await openStore(options.store);
  await store.open();
  await store.sweep();
  // What is kept for a successor that does not come goes while this worker runs.
  setInterval(() => void store.sweep().catch(() => {}), SWEEP_EVERY_MS).unref();
  return {
    store,
    models: createModels(options.modelCache),
    openSource: (source, signal) => openSource(source, { cacheDir: options.modelCache, signal }),
    rewarder: settings => createRewarder(settings, { store, environment: process.env }),
    environment: process.env,
    readPreset: options.readPreset,
    ...(options.exportTo && { exportTo: options.exportTo }),
  };
}

/**
 * Runs a worker until it is stopped; throws if it fails.
 * @param check what there is to ask, beside the replay of histories, before any work is taken; throws where none may be
 */
export async function runWorker(
  { connection: flags, deployment, inHand: folder, stop, onReady }: LonghaulWorkerOptions,
  work: Work,
  check?: (client: Client) => Promise<void>,
): Promise<void> {
  const settings = connectionSettings(flags);
  const connection = await NativeConnection.connect(settings.connection);
  const { namespace } = settings;
  const inHand = new InHand(folder, `${settings.connection.address}/${namespace}`);
  const stopped = new AbortController();
  try {
    const client = new Client({ connection, namespace });
    const watching = inHand.watch(client.activity, stopped.signal);
    const { workflowBundle, sinks = {} } = work;
    if (workflowBundle) await refuseIncompatibleRuns(client, { workflowBundle, sinks }, deployment);
    await check?.(client);
    const worker = await Worker.create({
      ...work,
      ...deploymentOptions(deployment),
      connection,
      namespace,
      interceptors: {
        ...work.interceptors,
        activity: [...(work.interceptors?.activity ?? []), inHand.interceptor],
      },
      stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
      shutdownGraceTime: SHUTDOWN_GRACE,
      shutdownForceTime: SHUTDOWN_FORCE,
      maxHeartbeatThrottleInterval: HEARTBEAT_EVERY,
      defaultHeartbeatThrottleInterval: HEARTBEAT_EVERY,
    });
    const running = worker.run();
    onReady?.();
    const shutdown = () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    stop?.addEventListener('abort', shutdown, { once: true });
    if (stop?.aborted) shutdown();
    await running;
    stopped.abort();
    await watching;
  } finally {
    stopped.abort();
    await connection.close();
  }
}
