/** What exporting costs a training step: pairs of runs of one spec, with all trackers and with none, in turn. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { CurriculumResult } from '../../../activities/contract/index.js';
import type { ExportSettings, RunSpec } from '../../../activities/spec/index.js';
import { beginRun } from '../../local/begin-run.js';
import { startStack } from '../../local/stack.js';
import { loadSpec } from '../../specs/spec-files.js';

export interface OverheadOptions {
  folder: string;
  settings: ExportSettings;
  rounds: number;
  say: (line: string) => void;
}

/** The phases of tiny, shortened: some 100 steps of half a second and more. */
const SETTINGS = [
  'phases.0.steps=30',
  'phases.1.steps=30',
  'phases.2.steps=30',
  'warmup.epochs=1',
  'evaluation.sets=[]',
];
const MOST = 0.01;

/** @returns whether a step was at most 1 % slower, by the median of the pairs */
export async function measureOverhead({ folder, settings, rounds, say }: OverheadOptions): Promise<boolean> {
  const { spec } = await loadSpec('tiny', SETTINGS, '/');
  const state = join(folder, 'overhead');
  const stack = await startStack({ state, store: join(state, 'store'), log: () => {} });
  try {
    const connection = await Connection.connect({ address: stack.address });
    const client = new Client({ connection });
    const ratios: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const seconds = { with: 0, without: 0 };
      // Each first in turn: a machine grows warm.
      for (const how of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        const own: RunSpec = how === 'with' ? { ...spec, export: settings } : spec;
        seconds[how] = await secondsOfStep(client, `${how}-${round}`, own);
      }
      ratios.push(seconds.with / seconds.without);
      const percent = 100 * (seconds.with / seconds.without - 1);
      say(
        `pair ${round}: ${seconds.without.toFixed(4)} s a step without, ${seconds.with.toFixed(4)} s with: ${percent.toFixed(2)} %`,
      );
    }
    await connection.close();
    const sorted = ratios.sort((a, b) => a - b);
    const median = (sorted[(rounds - 1) >> 1]! + sorted[rounds >> 1]!) / 2;
    say(`median of ${rounds} pairs: ${(100 * (median - 1)).toFixed(2)} % (bar: ${100 * MOST} %)`);
    return median - 1 <= MOST;
  } finally {
    await stack.stop();
  }
}

async function secondsOfStep(client: Client, run: string, spec: RunSpec): Promise<number> {
  await beginRun(client, run, spec);
  const { stages } = (await client.workflow.getHandle(run).result()) as CurriculumResult;
  const phases = stages.filter(({ kind }) => kind === 'phase');
  const sum = (of: (stage: (typeof phases)[number]) => number) => phases.reduce((total, stage) => total + of(stage), 0);
  return sum(({ seconds }) => seconds) / sum(({ steps }) => steps);
}
