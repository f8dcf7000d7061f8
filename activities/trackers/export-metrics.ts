/**
 * Keeps trackers up with a run while it goes on, beside its steps and never in their way: an activity of its own, on which
 * no step waits. A tracker that is away is asked again; what it misses lies in the store until it is back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependencies } from '../dependencies.js';
import type { ExportSettings } from '../spec/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { CatchUp, type CaughtUp } from './catch-up.js';
import { RunReader } from './run-reader.js';
import { trackersOf } from './trackers.js';

export interface ExportMetricsInput {
  run: string;
  to: ExportSettings;
  /** `follow`: until it is cancelled. `rest`: until all that the store has is there. */
  until: 'follow' | 'rest';
}

/** Points that each tracker has. */
export type ExportedMetrics = Record<string, number>;

/** How often the store is looked at for news: seldom beside a step, often beside what a person waits for. */
export const LOOK_MS = 3000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

export function exportMetrics(deps: Dependencies) {
  return ({ run, to, until }: ExportMetricsInput): Promise<ExportedMetrics> =>
    supervised('', async supervision => {
      const trackers = trackersOf(to, deps.environment);
      const troubles = new Map<string, string>();
      const reader = new RunReader(deps.store, run, LOOK_MS / 2);
      const kept = await Promise.all(
        trackers.map(tracker => keepUp(new CatchUp(reader, tracker), until, supervision, troubles)),
      );
      return Object.fromEntries(kept);
    });
}

async function keepUp(
  catchUp: CatchUp,
  until: ExportMetricsInput['until'],
  { call: { signal }, troubles: tell }: Supervision,
  troubles: Map<string, string>,
): Promise<[string, number]> {
  const { name } = catchUp.tracker;
  const say = (trouble: string | null) => {
    if (trouble === null) troubles.delete(name);
    else troubles.set(name, trouble);
    tell([...troubles.values()]);
  };
  for (let failures = 0; ; ) {
    let pause = LOOK_MS;
    try {
      const now = await catchUp.pass(signal, () => {
        failures = 0;
      });
      failures = 0;
      say(now.waitsFor === null ? null : `${name} waits for ${now.waitsFor}, which is not in the store`);
      if (isDone(now, until)) return [name, now.present];
    } catch (error) {
      signal.throwIfAborted();
      pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
      say(`${(error as Error).message.split('\n')[0]}; the run goes on, what is missing there is written later`);
    }
    await sleep(pause, undefined, { signal });
  }
}

const isDone = ({ behind, waitsFor, isWhole }: CaughtUp, until: ExportMetricsInput['until']): boolean =>
  isWhole || (until === 'rest' && behind === 0 && waitsFor === null);
