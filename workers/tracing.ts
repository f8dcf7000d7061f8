/**
 * Traces by OpenTelemetry, from a run's workflow over its activities to the engine's operations, sent by OTLP over HTTP. A
 * collector that is away holds nothing up: spans wait in memory, and are dropped when too many do.
 */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { detectResourcesSync, envDetectorSync, type IResource, Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { InjectedSinks } from '@temporalio/worker';
import type { Engine } from '../activities/engine/protocol/index.js';
import { TRACED_BUNDLE_FILE } from './bundle.js';
import { SpanExporter } from './span-exporter.js';
import { MEASURED, tracedEngine } from './traced-engine.js';
import type { Work } from './work.js';

export interface Tracing {
  /** Of activities, and of the client by which they tell their workflow how far they are. */
  interceptors: NonNullable<Work['interceptors']>;
  sinks: InjectedSinks<never>;
  engine(engine: Engine): Engine;
  /** The workflows with what makes spans of them. */
  workflowBundle: NonNullable<Work['workflowBundle']>;
  /** Sends what is left, for so long as a worker may take to end. */
  close(): Promise<void>;
}

const CLOSE_LIMIT_MS = 3000;

/** @param url the collector's base, as OTEL_EXPORTER_OTLP_ENDPOINT has it: `/v1/traces` is added */
export function startTracing(kind: 'cpu' | 'gpu', url: string): Tracing {
  const processor = new BatchSpanProcessor(new SpanExporter(`${url.replace(/\/+$/, '')}/v1/traces`, MEASURED));
  const resource = resourceOf(kind);
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer('longhaul');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    interceptors: {
      activity: [activity => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity, { tracer }) })],
      client: { workflow: [new OpenTelemetryWorkflowClientInterceptor({ tracer })] },
    },
    sinks: { exporter: makeWorkflowExporter(processor, resource as Resource) } as InjectedSinks<never>,
    engine: engine => tracedEngine(engine, tracer),
    workflowBundle: { codePath: TRACED_BUNDLE_FILE },
    close: async () => {
      const late = new Promise<void>(resolve => setTimeout(resolve, CLOSE_LIMIT_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), late]);
    },
  };
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word. */
function resourceOf(kind: string): IResource {
  const own = new Resource({ 'service.name': `longhaul-${kind}-worker` });
  return own.merge(detectResourcesSync({ detectors: [envDetectorSync] }));
}
