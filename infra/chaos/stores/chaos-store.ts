/** What the harness does to a store, and looks at from outside, whatever kind it is of. */
import type { StoreLink } from '../store-link.js';

/** A file that was damaged. */
export interface Injury {
  /** Relative to the store's root. */
  path: string;
  /** Before. */
  content: Buffer;
}

export interface ChaosStore {
  /** As workers are given it. */
  readonly address: string;
  /** More of the workers' environment. */
  readonly env: NodeJS.ProcessEnv;
  create(): Promise<void>;
  /** Paths of all that a run has published, relative to its folder. */
  published(run: string): Promise<string[]>;
  /** Paths of the newest files of a run's log, or all of its newest checkpoint, relative to the root. */
  newest(run: string, what: 'log' | 'checkpoint'): Promise<string[]>;
  /** @param where in [0, 1): which byte of the file; null if it is gone */
  flipBit(path: string, where: number): Promise<Injury | null>;
  /** Takes the store away, and gives what brings it back. */
  lose(): Promise<() => Promise<void> | void>;
  /** What lies between it and the workers; none for a folder. */
  readonly link?: StoreLink;
  /** Kills its process; whether it has one of ours. */
  kill?(): boolean;
  /** A folder with everything that the runs have published, as a folder store has it. */
  settled(runs: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export const LOG_FILE = /\/steps\/\d+\/(rollouts|scores|update)[-\d]*\.jsonl?$/;
/** How many of the newest files of the log may be struck. */
export const NEWEST = 4;

/** The bytes with one bit flipped. */
export function flipped(content: Buffer, where: number): Buffer {
  const at = Math.floor(where * content.length);
  const damaged = Buffer.from(content);
  damaged[at]! ^= 1;
  return damaged;
}
