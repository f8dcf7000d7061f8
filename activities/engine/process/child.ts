/**
 * The engine's own process: a run of onnxruntime blocks its thread and is not to be interrupted, so the engine lives where
 * it may be killed at any instant. Speaks messages.ts's messages over IPC.
 */
import { storageTrouble } from '../files/index.js';
import { EngineRequestError, type Operation } from '../protocol/index.js';
import { isOutOfMemory } from './memory-budget.js';
import type { FromEngine, ToEngine } from './messages.js';
import { type OperationContext, PolicyEngine } from './policy-engine.js';
import { engineSettings } from './settings.js';

/** What a cancelled operation ends with. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

const engine = new PolicyEngine(engineSettings());
const cancelled = new Set<number>();

const send = (message: FromEngine): void => {
  process.send?.(message);
};

/** Lets messages (a cancellation) in, then reports progress or ends the operation. */
function checkpointOf(id: number, operation: Operation): OperationContext['checkpoint'] {
  return async (done, total, unit) => {
    await new Promise(resolve => setImmediate(resolve));
    if (cancelled.has(id)) throw new CancelledError(`${operation} was cancelled`);
    send({ id, kind: 'progress', progress: { operation, done, total, unit } });
  };
}

async function serve(id: number, operation: Operation, request: never): Promise<void> {
  try {
    const result = await engine.operations[operation](request, { checkpoint: checkpointOf(id, operation) });
    send({ id, kind: 'result', result });
  } catch (error) {
    const { name, message } = error as Error;
    const trouble = storageTrouble(error);
    const code = codeOf(error) ?? (trouble ? 'storage' : null);
    send({ id, kind: 'error', name, message: trouble ?? message, ...(code && { code }) });
  }
  cancelled.delete(id);
}

function codeOf(error: unknown): EngineRequestError['code'] | null {
  if (isOutOfMemory(error)) return 'out-of-memory';
  return error instanceof EngineRequestError ? error.code : null;
}

// One operation at a time, in the order they came.
let queue: Promise<void> = Promise.resolve();

process.on('message', (message: ToEngine) => {
  if (message.kind === 'cancel') cancelled.add(message.id);
  else queue = queue.then(() => serve(message.id, message.operation, message.request as never));
});
// Without its host the engine has nobody to work for.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole process group: the host decides when the engine ends.
process.on('SIGINT', () => {});
