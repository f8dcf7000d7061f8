/**
 * What exporting asks of the processor, counted in this process: a finished run is given to every tracker, one point at a
 * time as while it goes on. Other than the clock, this says the same on a machine that others use.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExportSettings } from '../../../activities/spec/index.js';
import type { Store } from '../../../activities/store/index.js';
import { CatchUp, LOOK_MS, RunReader, type Tracker, trackersOf } from '../../../activities/trackers/index.js';
import { median } from '../../bench/statistics.js';
import { stepSeconds } from './measured-run.js';

export interface CostOptions {
  store: Store;
  run: string;
  settings: ExportSettings;
  say: (line: string) => void;
}

const LOOKS = 50;
/** A look serves all trackers that ask within it. */
const FRESH_MS = 50;
const MOST = 0.01;

/** @returns whether a step is at most 1 % slower where no core is free for exporting */
export async function measureCost({ store, run, settings, say }: CostOptions): Promise<boolean> {
  const { signal } = new AbortController();
  const reader = new RunReader(store, run, FRESH_MS);
  const kept = trackersOf(settings, process.env).map(tracker => new CatchUp(reader, pointByPoint(tracker)));
  const pass = () => Promise.all(kept.map(one => one.pass(signal)));
  const [written, all] = await processorMs(pass);
  const points = Math.max(...written.map(one => one.written));
  if (points === 0) throw new Error(`the trackers have "${run}" already`);
  const [, looking] = await processorMs(async () => {
    for (let k = 0; k < LOOKS; k++) await Promise.all([pass(), sleep(2 * FRESH_MS)]);
  });
  const [point, look] = [all / points, looking / LOOKS];
  const step = median(
    [...(await stepSeconds(store, run))].filter(([name]) => name.startsWith('phase')).map(([, s]) => s),
  );
  const core = (point / step + look / (LOOK_MS / 1000)) / 1000;
  const cores = availableParallelism();
  say(
    `${points} points for ${kept.length} trackers: ${point.toFixed(1)} ms of a processor each, for all trackers together`,
  );
  say(`a look at the store with nothing new, every ${LOOK_MS / 1000} s: ${look.toFixed(1)} ms`);
  say(
    `beside steps of ${step.toFixed(2)} s, the run's median: ${(100 * core).toFixed(2)} % of one core, ` +
      `${((100 * core) / cores).toFixed(2)} % of this machine's ${cores}`,
  );
  return core / cores <= MOST;
}

/** As they come while a run goes on: none waits for another to be sent with. */
const pointByPoint = (tracker: Tracker): Tracker => Object.create(tracker, { batch: { value: 1 } });

async function processorMs<T>(work: () => Promise<T>): Promise<[result: T, ms: number]> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / 1000];
}
