/** Trying again: how long to wait, and when it is enough. */
import { setTimeout } from 'node:timers/promises';
import { EndpointUnavailableError } from './errors.js';

/** What waiting needs of the world; tests bring their own. Chance decides how long to wait and nothing else. */
export interface RetryClock {
  /** Milliseconds. */
  now(): number;
  /** Throws when aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Uniform over [0, 1). */
  random(): number;
}

export const REAL_CLOCK: RetryClock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    await setTimeout(milliseconds, undefined, { signal });
  },
  random: Math.random,
};

/** A failure that another try may mend. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  constructor(
    message: string,
    /** How long the server asks to be left alone. */
    readonly retryAfterMs: number = 0,
    /** After so many tries the question is given up with this error, whatever time is left. */
    readonly leftOut?: { atMost: number; by: Error } | undefined,
  ) {
    super(message);
  }
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/**
 * What the first try that does not throw a TransientError returns, or throws.
 * @param what the endpoint, for the message
 * @throws EndpointUnavailableError once the next try would begin more than `retrySeconds` after the first
 */
export async function retried<T>(
  what: string,
  attempt: () => Promise<T>,
  { retrySeconds, signal, clock }: { retrySeconds: number; signal: AbortSignal; clock: RetryClock },
): Promise<T> {
  const started = clock.now();
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const { leftOut } = error;
      if (leftOut && tries >= leftOut.atMost) throw leftOut.by;
      const spent = clock.now() - started;
      // Half of the wait is chance, so that many who failed together do not come again together.
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + 0.5 * clock.random());
      // Who is told when to come comes a little after, never before.
      const delay = error.retryAfterMs > 0 ? error.retryAfterMs + 0.2 * wait : wait;
      if (spent + delay > 1000 * retrySeconds) {
        throw leftOut?.by ?? new EndpointUnavailableError(what, tries, spent / 1000, error.message);
      }
      await clock.sleep(delay, signal).catch(() => signal.throwIfAborted());
    }
  }
}
