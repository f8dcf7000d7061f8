/** What a kind of fault is: how it strikes a run that is under way on a cluster. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Busy, Cluster, WorkerProcess } from '../cluster.js';
import type { Fault } from '../schedule.js';
import type { Injury } from '../stores/chaos-store.js';

/** What is struck. */
export interface Target {
  cluster: Cluster;
  /** Name of the run under way. */
  run: string;
}

export interface Strike {
  /** What was struck and what it was at, in a few words. */
  what: string;
  /** Settles once nothing is held up any more on purpose. */
  over: Promise<void>;
  injury?: Injury;
}

/** Strikes; null when there is nothing to strike at the moment. */
export type FaultKind = (target: Target, fault: Fault) => Promise<Strike | null>;

export const AT_ONCE = Promise.resolve();

/** Undoes something after some seconds, whatever happens meanwhile. */
export async function later(seconds: number, undo: () => Promise<void> | void): Promise<void> {
  await sleep(seconds * 1000);
  await undo();
}

/** Sends it to those that have not ended meanwhile. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** In [low, high), by the fault's force. */
export const between = (low: number, high: number, { force }: Fault): number => low + (high - low) * force;

export const pickOf = <T>(items: readonly T[], { target }: Fault): T | undefined =>
  items[Math.floor(target * items.length)];

/** How long a worker with something to lose is looked for. */
const LOOK_MS = 3000;

/** A worker of the kind, one with an activity in hand if there soon is one, and what it is at. */
export async function busyWorker(
  { cluster }: Target,
  kinds: readonly ('cpu' | 'gpu')[],
  fault: Fault,
): Promise<{ worker: WorkerProcess; doing: string } | null> {
  const workers = kinds.flatMap(kind => cluster.ofKind(kind));
  let found: Busy | undefined;
  for (const limit = Date.now() + LOOK_MS; !found && Date.now() < limit; await sleep(5)) {
    const busy = (await cluster.inHand()).filter(({ worker }) => workers.includes(worker));
    found = pickOf(busy, fault);
  }
  if (found) return { worker: found.worker, doing: `in ${found.activity}` };
  const idle = pickOf(workers, fault);
  return idle ? { worker: idle, doing: 'idle' } : null;
}
