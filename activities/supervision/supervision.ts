/**
 * What every activity does around its work: tell the server that it lives, stop when asked, and give each failure the
 * type by which Temporal decides whether to try again.
 */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { CallOptions, EngineProgress } from '../engine/protocol/index.js';
import { failureOf, forgetFailures } from './failures.js';

/**
 * How often an activity says that it lives; the SDK thins the calls out for the server. What is done sooner says nothing:
 * each beat is written by the server, and most activities of a small run are done within a fraction of this.
 */
const HEARTBEAT_MS = 1000;

/** What heartbeats carry, for people who look. */
export interface HeartbeatDetails {
  doing: string;
  engine?: EngineProgress;
  /** What does not go as it should, and is being tried again. */
  troubles?: string[];
}

/** Handed to an activity's work. */
export interface Supervision {
  /** For engine calls: ends them when the activity is cancelled, and feeds the heartbeat. */
  call: CallOptions & { signal: AbortSignal };
  /** Says what is being done now, in a few words. */
  note(doing: string): void;
  /** Says what does not go as it should, while the activity goes on; none: all is well again. */
  troubles(lines: string[]): void;
  /** Throws if the activity was cancelled meanwhile: called before publishing. */
  check(): void;
}

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
      troubles: lines => {
        details.troubles = lines;
      },
      check: () => context.cancellationSignal.throwIfAborted(),
    });
    forgetFailures(context.info);
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
  return failureOf(error, context.info);
}
