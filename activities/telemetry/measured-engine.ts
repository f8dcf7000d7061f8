/** An engine whose operations are measured. */
import { readFile } from 'node:fs/promises';
import {
  type CallOptions,
  type Engine,
  EngineLostError,
  type EngineOperations,
  EngineRequestError,
  type Operation,
} from '../engine/protocol/index.js';
import type { LabelsOf } from './metrics.js';
import type { Meters } from './registry.js';

type Reason = LabelsOf<'longhaul_engine_failures_total'>['reason'];
type Results = { [O in Operation]?: (meters: Meters, result: EngineOperations[O][1]) => void };

/** What a result says beyond that it came. */
const RESULTS: Results = {
  generate: (meters, { promptTokens, newTokens, groups }) => {
    meters.record('longhaul_tokens_total', { kind: 'prompt' }, promptTokens);
    meters.record('longhaul_tokens_total', { kind: 'sampled' }, newTokens);
    for (const { finish } of groups.flatMap(({ responses }) => responses)) {
      meters.record('longhaul_responses_total', { finish }, 1);
    }
  },
  sft: (meters, { tokens }) => meters.record('longhaul_tokens_total', { kind: 'trained' }, tokens),
  update: (meters, { tokens }) => meters.record('longhaul_tokens_total', { kind: 'trained' }, tokens),
};

export function measuredEngine(engine: Engine, meters: Meters): Engine {
  let inHand = 0;
  const hold = (change: number) => {
    inHand += change;
    meters.record('longhaul_engine_busy', {}, inHand);
  };
  hold(0);
  return {
    call: async (operation, request, options: CallOptions = {}) => {
      const started = performance.now();
      hold(1);
      try {
        const result = await engine.call(operation, request, {
          ...options,
          onProgress: progress => {
            meters.record('longhaul_engine_progress_total', {}, 1);
            options.onProgress?.(progress);
          },
        });
        meters.record('longhaul_engine_operation_seconds', { operation }, (performance.now() - started) / 1000);
        RESULTS[operation]?.(meters, result);
        return result;
      } catch (error) {
        meters.record('longhaul_engine_failures_total', { reason: reasonOf(error, options) }, 1);
        throw error;
      } finally {
        hold(-1);
      }
    },
    close: () => engine.close(),
  };
}

function reasonOf(error: unknown, { signal }: CallOptions): Reason {
  if (signal?.aborted) return 'cancelled';
  if (error instanceof EngineLostError) return 'lost';
  return error instanceof EngineRequestError ? error.code : 'internal';
}

/** Told of each start of the engine's process. */
export function engineProcesses(meters: Meters): (pid: number | undefined) => void {
  let current: number | undefined;
  let starts = 0;
  meters.ask('longhaul_engine_resident_memory_bytes', () => residentBytes(current));
  return pid => {
    current = pid;
    if (++starts > 1) meters.record('longhaul_engine_restarts_total', {}, 1);
  };
}

/** Null where no such process runs, or the system does not say. */
async function residentBytes(pid: number | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  const [, kibibytes] = /^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
