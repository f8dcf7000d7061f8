/** Where a training service is, and how patient its client is with it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Where keys and proxies are looked up: `process.env`, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface TinkerSettings {
  /** The service's address, as http://trainer:8000; with or without /api/v1. */
  url: string;
  /** The variable of `environment` that holds the key; null: none is needed. The key is sent and nowhere written. */
  keyVariable: string | null;
  environment: Environment;
  /**
   * A folder of this engine alone, kept from one start of the worker to the next: what it has on the service, call by call,
   * so that an engine that is started again goes on with it.
   */
  stateFolder: string;
  /** Prompts that are sampled at a time. */
  concurrency?: number;
  /** Seconds that the service may be away before a call fails. */
  patience?: number;
  /** Seconds that one call's result may take to come, from when the service took it. */
  longestCall?: number;
  clock?: Clock;
}

/** What waiting needs of the world; tests bring their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Throws the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    sleep(milliseconds, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted()),
};

/** Those left out: servers that keep promises in SQLite fail beyond some dozens at a time. */
export const TINKER_DEFAULTS = { concurrency: 32, patience: 300, longestCall: 3600, clock: REAL_CLOCK };

export type WholeSettings = Required<TinkerSettings>;
