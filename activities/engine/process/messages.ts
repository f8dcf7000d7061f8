/** What crosses between host.ts and child.ts. */
import type { EngineOperations, EngineProgress, EngineRequestError, Operation } from '../protocol/index.js';

export type ToEngine =
  | { id: number; kind: 'call'; operation: Operation; request: EngineOperations[Operation][0] }
  | { id: number; kind: 'cancel' };

export type FromEngine =
  | { id: number; kind: 'progress'; progress: EngineProgress }
  | { id: number; kind: 'result'; result: EngineOperations[Operation][1] }
  | { id: number; kind: 'error'; name: string; message: string; code?: EngineRequestError['code'] };
