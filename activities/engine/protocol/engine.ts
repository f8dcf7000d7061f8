/**
 * What the engine can be asked: the one contract between the engine's child process and everyone who uses it.
 *
 * The engine holds one policy at a time (weights, optimiser moments, step count) and knows token ids only: text, stores,
 * rewards and Temporal live outside. Requests and results are small and cross by IPC; weights cross as folders on disk.
 */
import type {
  EngineStatus,
  GenerateRequest,
  GenerateResult,
  LoadRequest,
  LogprobsRequest,
  LogprobsResult,
  ModelSummary,
  ReferenceRequest,
  SavedPolicy,
  SaveRequest,
  ScoreRequest,
  ScoreResult,
  SftMetrics,
  SftRequest,
  UpdateMetrics,
  UpdateRequest,
} from './requests.js';

export interface EngineOperations {
  /** Refused where the engine's execution provider cannot be used. */
  status: [Record<string, never>, EngineStatus];
  load: [LoadRequest, ModelSummary];
  reference: [ReferenceRequest, Record<string, never>];
  generate: [GenerateRequest, GenerateResult];
  logprobs: [LogprobsRequest, LogprobsResult];
  score: [ScoreRequest, ScoreResult];
  sft: [SftRequest, SftMetrics];
  update: [UpdateRequest, UpdateMetrics];
  save: [SaveRequest, SavedPolicy];
  /**
   * SHA-256 that `save` would report (unmerged), without writing. Of a training service, which gives no equal bits: of the
   * policy's tag.
   */
  fingerprint: [Record<string, never>, { sha256: string }];
}

export type Operation = keyof EngineOperations;

/** Sent while an operation works, at least once a second or once a unit of work, whichever is longer. */
export interface EngineProgress {
  operation: Operation;
  /** Work done and in all, in `unit`s. */
  done: number;
  total: number;
  unit: 'tokens' | 'micro-batches' | 'tensors';
}

export interface CallOptions {
  /** Aborting ends the call at the next chunk or micro-batch; an engine that does not answer within a grace time is killed. */
  signal?: AbortSignal;
  onProgress?: (progress: EngineProgress) => void;
}

/** The caller's side: implemented by host.ts over a child process. */
export interface Engine {
  call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    options?: CallOptions,
  ): Promise<EngineOperations[O][1]>;
  /** Ends the child process; a later call starts another. */
  close(): Promise<void>;
}
