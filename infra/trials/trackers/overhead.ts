/** What exporting costs a training step: pairs of equal runs, with every exporter and with none, compared step by step. */
import { join } from 'node:path';
import type { ExportSettings } from '../../../activities/spec/index.js';
import { median } from '../../bench/statistics.js';
import { loadSpec } from '../../specs/spec-files.js';
import { type MeasuredRun, measuredRun } from './measured-run.js';

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

/** @returns whether a step was at most 1 % slower */
export async function measureOverhead({ folder, settings, rounds, say }: OverheadOptions): Promise<boolean> {
  const { spec } = await loadSpec('tiny', SETTINGS, '/');
  const ratios: number[] = [];
  const shares: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const measured = {} as Record<'with' | 'without', MeasuredRun>;
    // Each first in turn: a machine grows warm.
    for (const how of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      const run = `${how}-${round}`;
      measured[how] = await measuredRun(join(folder, run), run, spec, how === 'with' ? settings : null);
    }
    const { with: exporting, without: plain } = measured;
    if (exporting.sha256 !== plain.sha256) throw new Error('exporting changed the weights');
    const own = [...plain.steps].map(([step, seconds]) => exporting.steps.get(step)! / seconds);
    ratios.push(...own);
    const more = exporting.processor.others - plain.processor.others;
    const share = more / (plain.processor.engine + plain.processor.others);
    shares.push(share);
    say(
      `pair ${round}: a step takes ${seconds(plain)} without, ${seconds(exporting)} with: ${percent(median(own) - 1)}; ` +
        `${more.toFixed(1)} s more of the processor in ${plain.steps.size} steps: ${percent(share)}`,
    );
  }
  const [low, high] = interval(ratios);
  say(
    `a step: ${percent(median(ratios) - 1)} by the clock, median of ${ratios.length} steps (95 %: ${percent(low - 1)} to ${percent(high - 1)}); ` +
      `${percent(median(shares))} by the processor, median of ${rounds} pairs (bar: ${100 * MOST} %)`,
  );
  // On a machine that others use the clock says too little.
  const isNoisy = high - low > 2 * MOST;
  return (isNoisy ? median(shares) : median(ratios) - 1) <= MOST;
}

const seconds = ({ steps }: MeasuredRun) => `${median([...steps.values()]).toFixed(3)} s`;
const percent = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(2)} %`;

/** Of the median, by the order of the values alone: 95 in 100 such intervals hold it. */
function interval(values: readonly number[]): [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (place: number) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(place)))]!;
  return [at(sorted.length / 2 - reach), at(sorted.length / 2 + reach)];
}
