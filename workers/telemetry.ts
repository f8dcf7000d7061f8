/** What a worker shows of itself, where it is asked to: metrics and traces, laid around what it works with. */
import type { Client } from '@temporalio/client';
import type { Dependencies } from '../activities/dependencies.js';
import type { EngineOptions } from '../activities/engine/process/index.js';
import type { Engine } from '../activities/engine/protocol/index.js';
import {
  engineProcesses,
  measuredEngine,
  measuredRewarder,
  measuredStore,
  metersObserver,
} from '../activities/telemetry/index.js';
import type { MetricsServer, MetricsSettings } from './metrics.js';
import type { Tracing } from './tracing.js';
import type { Work } from './work.js';

export interface TelemetrySettings {
  metrics?: MetricsSettings;
  /** Base URL of the collector that spans are sent to. */
  otlp?: string;
}

export type WorkerKind = 'cpu' | 'gpu';

export class Telemetry {
  private constructor(
    private readonly metrics: MetricsServer | null,
    private readonly tracing: Tracing | null,
  ) {}

  /** Before anything else of the worker. @throws MetricsPortError */
  static async start(kind: WorkerKind, { metrics, otlp }: TelemetrySettings): Promise<Telemetry> {
    // Loaded where it is asked for: other workers begin without.
    const server = metrics ? await (await import('./metrics.js')).serveMetrics(kind, metrics) : null;
    const tracing = otlp ? (await import('./tracing.js')).startTracing(kind, otlp) : null;
    return new Telemetry(server, tracing);
  }

  /** Where the metrics are; null where there are none. */
  get url(): string | null {
    return this.metrics?.url ?? null;
  }

  engineOptions(): Pick<EngineOptions, 'onStart'> {
    return this.metrics ? { onStart: engineProcesses(this.metrics.meters) } : {};
  }

  engine(engine: Engine): Engine {
    const measured = this.metrics ? measuredEngine(engine, this.metrics.meters) : engine;
    return this.tracing ? this.tracing.engine(measured) : measured;
  }

  dependencies(deps: Dependencies): Dependencies {
    if (!this.metrics) return deps;
    const { meters } = this.metrics;
    return {
      ...deps,
      store: measuredStore(deps.store, meters),
      rewarder: settings => measuredRewarder(deps.rewarder(settings), meters),
      observer: metersObserver(meters),
    };
  }

  work(work: Work): Work {
    const { tracing } = this;
    if (!tracing) return work;
    return {
      ...work,
      ...(work.workflowBundle && { workflowBundle: tracing.workflowBundle }),
      sinks: tracing.sinks,
      interceptors: tracing.interceptors,
    };
  }

  /** Of the worker that has the workflows, once it has reached the server. */
  async connected(client: Client): Promise<void> {
    if (this.metrics) (await import('./metrics.js')).countRuns(this.metrics.meters, client);
  }

  async close(): Promise<void> {
    await this.tracing?.close();
    await this.metrics?.close();
  }
}

/** Runs a worker with what shows it, which ends with it. */
export async function withTelemetry(
  kind: WorkerKind,
  settings: TelemetrySettings,
  run: (telemetry: Telemetry) => Promise<void>,
): Promise<void> {
  const telemetry = await Telemetry.start(kind, settings);
  try {
    await run(telemetry);
  } finally {
    await telemetry.close();
  }
}
