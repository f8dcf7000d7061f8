/** What exporting costs a training step: equal runs with none, with each kind of exporter, and with all, round by round. */
import { join } from 'node:path';
import type { ExportSettings } from '../../../activities/spec/index.js';
import { median } from '../../bench/statistics.js';
import { loadSpec } from '../../specs/spec-files.js';
import { type Exporters, type MeasuredRun, measuredRun } from './measured-run.js';

export interface OverheadOptions {
  folder: string;
  settings: ExportSettings;
  rounds: number;
  say: (line: string) => void;
}

/** `tiny`, shortened, and learning or not: what a step takes does not depend on it. */
const SETTINGS = [
  ...[0, 1, 2, 3].map(phase => `phases.${phase}.steps=8`),
  'warmup.data.0.count=640',
  'rl.maxRefills=0',
  'rl.signal.onMissing=continue',
  'rl.signal.minEffectiveGroups=1',
  'evaluation.sets=[]',
];
const MOST = 0.01;

/** @returns whether a step was at most 1 % slower with all of them */
export async function measureOverhead({ folder, settings, rounds, say }: OverheadOptions): Promise<boolean> {
  const { spec } = await loadSpec('tiny', SETTINGS, '/');
  const nothing: Exporters = { trackers: null, metrics: false, traces: false };
  const kinds: Record<string, Exporters> = {
    trackers: { ...nothing, trackers: settings },
    metrics: { ...nothing, metrics: true },
    traces: { ...nothing, traces: true },
    all: { trackers: settings, metrics: true, traces: true },
  };
  const slower = new Map<string, { clock: number[]; processor: number[] }>();
  for (let round = 1; round <= rounds; round++) {
    const measured = (kind: string, exporters: Exporters) =>
      measuredRun(join(folder, `${kind}-${round}`), `${kind}-${round}`, spec, exporters);
    // Before and after the others: what the machine itself became faster or slower by is no exporter's.
    const before = await measured('none', nothing);
    const runs: [string, MeasuredRun][] = [];
    for (const [kind, exporters] of Object.entries(kinds)) runs.push([kind, await measured(kind, exporters)]);
    const after = await measured('again', nothing);
    say(`round ${round}: ${before.seconds.toFixed(3)} s a step without, again ${after.seconds.toFixed(3)} s`);
    for (const [kind, run] of [...runs, ['none, again', after] as const]) {
      if (run.sha256 !== before.sha256) throw new Error(`with ${kind} the weights are others`);
      const of = slower.get(kind) ?? { clock: [], processor: [] };
      slower.set(kind, of);
      of.clock.push(clockOf(run) / clockOf(before) - 1);
      of.processor.push(besideOf(run) - besideOf(before));
      say(
        `  ${kind}: ${percent(of.clock.at(-1)!)} by the clock, ${percent(of.processor.at(-1)!)} by the processor; ` +
          `more of it a step: ${moreOf(run, before)}`,
      );
    }
  }
  say(`\nmedians of ${rounds} rounds (bar: ${100 * MOST} %)`);
  for (const [kind, { clock, processor }] of slower)
    say(`${kind.padEnd(12)} ${percent(median(clock))} by the clock, ${percent(median(processor))} by the processor`);
  return median(slower.get('all')!.clock) <= MOST;
}

/** In units of what the engine worked, which is the same in all runs: a machine that is slower for a while is so for both. */
const clockOf = ({ seconds, processor }: MeasuredRun) => seconds / processor.engine;
/** What is done beside the engine, as a share of its work. */
const besideOf = ({ processor: { engine, server, 'cpu worker': cpu, 'gpu worker': gpu } }: MeasuredRun) =>
  (server + cpu + gpu) / engine;

/** Where it goes: by process, in milliseconds. */
function moreOf(run: MeasuredRun, before: MeasuredRun): string {
  const ms = ({ processor, steps }: MeasuredRun, part: (typeof BESIDE)[number]) => (1000 * processor[part]) / steps;
  return BESIDE.map(part => `${part} ${(ms(run, part) - ms(before, part)).toFixed(1)} ms`).join(', ');
}
const BESIDE = ['cpu worker', 'gpu worker', 'server'] as const;

const percent = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(2)} %`;
