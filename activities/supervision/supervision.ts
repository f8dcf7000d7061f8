/**
 * What every activity does around its work: tell the server that it lives, stop when asked, and give each failure the
 * type by which Temporal decides whether to try again.
 */

import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { UnreadableSnapshotError } from '../artifacts/index.js';
import { DataError } from '../datasets/index.js';
import { storageTrouble } from '../engine/files/index.js';
import {
  type CallOptions,
  EngineLostError,
  type EngineProgress,
  EngineRequestError,
} from '../engine/protocol/index.js';
import { EndpointRefusedError } from '../remote/index.js';
import { CustomRewardError } from '../rewards/index.js';
import { InvalidSpecError } from '../spec/index.js';
import { CorruptArtifactError, DivergenceError, StaleAttemptError } from '../store/index.js';
import { FailureCounts } from './failure-counts.js';

/**
 * How often an activity says that it lives; the SDK thins the calls out for the server. What is done sooner says nothing:
 * each beat is written by the server, and most activities of a small run are done within a fraction of this.
 */
const HEARTBEAT_MS = 1000;
/** Failures that pass, the type they get, and how often an activity may fail so on a worker: then it is its own doing. */
const PASSING = [
  { kind: EngineLostError, type: 'EngineLost', times: 10 },
  { kind: UnreadableSnapshotError, type: 'UnreadableSnapshot', times: 10 },
];

const passingFailures = new FailureCounts();

/** What heartbeats carry, for people who look. */
export interface HeartbeatDetails {
  doing: string;
  engine?: EngineProgress;
}

/** Handed to an activity's work. */
export interface Supervision {
  /** For engine calls: ends them when the activity is cancelled, and feeds the heartbeat. */
  call: CallOptions & { signal: AbortSignal };
  /** Says what is being done now, in a few words. */
  note(doing: string): void;
  /** Throws if the activity was cancelled meanwhile: called before publishing. */
  check(): void;
}

/** The store or its disk does not take what is written: tried again until it does. */
const STORAGE = 'Storage';
/** Evenly: the room comes when somebody makes it, not the later the longer it lacked. */
const STORAGE_TRIES = { nextRetryDelay: '2 seconds' } as const;

/** Failures that another try cannot mend, and the type they get. Engine requests have theirs by code. */
const FATAL = [InvalidSpecError, DataError, DivergenceError, StaleAttemptError, CustomRewardError];
const ENGINE_TYPES: Record<EngineRequestError['code'], string> = {
  'bad-model': 'BadModel',
  'bad-request': 'BadRequest',
  'not-loaded': 'NotLoaded',
  'not-finite': 'NotFinite',
  unsupported: 'Unsupported',
  'out-of-memory': 'OutOfMemory',
  storage: STORAGE,
  internal: 'EngineInternal',
};

/** Runs an activity's work with heartbeats, cancellation and failure types. */
export async function supervised<T>(doing: string, work: (supervision: Supervision) => Promise<T>): Promise<T> {
  const context = Context.current();
  const details: HeartbeatDetails = { doing };
  const timer = setInterval(() => context.heartbeat(details), HEARTBEAT_MS);
  try {
    const result = await work({
      call: {
        signal: context.cancellationSignal,
        onProgress: progress => {
          details.engine = progress;
        },
      },
      note: text => {
        details.doing = text;
        delete details.engine;
      },
      check: () => context.cancellationSignal.throwIfAborted(),
    });
    passingFailures.forget(context.info);
    return result;
  } catch (error) {
    throw asFailure(error, context);
  } finally {
    clearInterval(timer);
  }
}

function asFailure(error: unknown, context: Context): unknown {
  if (context.cancellationSignal.aborted) {
    // A worker that stops hands its step back for another to take at once; only a request ends it for good.
    if (context.cancellationDetails?.workerShutdown) {
      return ApplicationFailure.create({
        message: 'The worker is stopping; the step is handed back.',
        type: 'WorkerShutdown',
        nextRetryDelay: '100 milliseconds',
      });
    }
    return error instanceof CancelledFailure ? error : new CancelledFailure('The activity was cancelled.');
  }
  if (error instanceof InvalidSpecError) {
    return ApplicationFailure.nonRetryable(error.message, 'InvalidSpec', error.issues);
  }
  if (error instanceof EngineRequestError) {
    const type = ENGINE_TYPES[error.code];
    // An engine that forgot its policy, as after a restart between two calls, loads it again; a disk gets room.
    return ApplicationFailure.create({
      message: error.message,
      type,
      nonRetryable: error.code !== 'not-loaded' && error.code !== 'storage',
      ...(error.code === 'storage' && STORAGE_TRIES),
      cause: error,
    });
  }
  const passing = PASSING.find(({ kind }) => error instanceof kind);
  if (passing) {
    const { type, times } = passing;
    const { message } = error as Error;
    return ApplicationFailure.create({
      message,
      type,
      nonRetryable: passingFailures.add(context.info) >= times,
      cause: error as Error,
    });
  }
  if (error instanceof EndpointRefusedError) {
    // What lies in the workers' environment is put right there, and the same activity goes on.
    const nonRetryable = error.mendedIn === 'spec';
    return ApplicationFailure.create({ message: error.message, type: 'EndpointRefused', nonRetryable });
  }
  if (error instanceof CorruptArtifactError) {
    // Not by the same activity again: the workflow has it made again by the one that made it.
    const { message, name: type, uri } = error;
    return ApplicationFailure.create({ message, type, nonRetryable: true, details: [uri], cause: error });
  }
  const trouble = storageTrouble(error);
  if (trouble)
    return ApplicationFailure.create({ ...STORAGE_TRIES, message: trouble, type: STORAGE, cause: error as Error });
  const fatal = FATAL.find(kind => error instanceof kind);
  if (fatal && error instanceof Error) {
    return ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true, cause: error });
  }
  return error;
}
