/** An engine whose operations are spans of OpenTelemetry, below the span of whatever activity asks for them. */
import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Engine, EngineOperations, Operation } from '../activities/engine/protocol/index.js';

type Attributes = Record<string, number>;
type Results = { [O in Operation]?: (result: EngineOperations[O][1]) => Attributes };

/** What a span says of the work that it stands for. */
const RESULTS: Results = {
  generate: ({ groups, promptTokens, newTokens }) => ({
    'longhaul.groups': groups.length,
    'longhaul.prompt_tokens': promptTokens,
    'longhaul.sampled_tokens': newTokens,
  }),
  sft: ({ tokens, loss }) => ({ 'longhaul.trained_tokens': tokens, 'longhaul.loss': loss }),
  update: ({ tokens, loss }) => ({ 'longhaul.trained_tokens': tokens, 'longhaul.loss': loss }),
};

/** Attributes that are no counts: sent as doubles. */
export const MEASURED: ReadonlySet<string> = new Set(['longhaul.loss']);

/** Infinity and what is no number are left out: an exporter of JSON sends null for them, of which a receiver can make nothing. */
const numbersOf = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => Number.isFinite(value)));

export function tracedEngine(engine: Engine, tracer: Tracer): Engine {
  return {
    call: (operation, request, options) =>
      // The process that does it is another.
      tracer.startActiveSpan(`engine:${operation}`, { kind: SpanKind.CLIENT }, async span => {
        try {
          const result = await engine.call(operation, request, options);
          span.setAttributes(numbersOf(RESULTS[operation]?.(result) ?? {}));
          return result;
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
          throw error;
        } finally {
          span.end();
        }
      }),
    close: () => engine.close(),
  };
}
