/** How much faster a step's rollouts and an evaluation are on two workers than on one, and a simulation of more. */
import { availableParallelism, loadavg } from 'node:os';
import type { CurriculumResult } from '../../../../activities/contract/index.js';
import type { Table } from '../../../bench/table.js';
import { UserError } from '../../../user-error.js';
import type { Finding } from '../../findings.js';
import { pinnedRun, type Timed } from './pinned.js';
import { simulateStep } from './simulation.js';
import { type Timings, timingsOf } from './timings.js';
import { type Workload, workloadSpec } from './workload.js';

const WORKERS = [1, 2];
/** The paper's prompts of a step. */
const PAPER_PROMPTS = 128;
const SIMULATED = [1, 2, 4, 8, 16, 32, 64];
/** Beyond it the machine has other work, and the times are not worth much. */
const QUIET = 0.5;
/** How much faster two workers have to be than one. */
const LEAST_FASTER = 1.7;

export async function speedTrial(
  folder: string,
  work: Workload & { shards: number },
  say: (line: string) => void,
): Promise<Finding[]> {
  if (availableParallelism() < Math.max(...WORKERS))
    throw new UserError(`--speed pins two workers to a core each: this machine has ${availableParallelism()}.`);
  const [load] = loadavg() as [number, number, number];
  if (load > QUIET) say(`The machine is not quiet (load ${load.toFixed(1)}): ratios may be off.\n`);
  const { promptTokens, promptsPerStep, steps, items, shards } = work;
  say(
    `${steps} steps of ${promptsPerStep} prompts of up to ${promptTokens} tokens, ${items} evaluated; ${shards} shards.`,
  );
  const spec = await workloadSpec(folder, work, shards);
  const timed: Timed[] = [];
  for (const workers of WORKERS) timed.push(await pinnedRun(folder, spec, workers));
  const [one, two] = timed.map(({ completed }) => timingsOf(completed)) as [Timings, Timings];
  const [first, second] = timed.map(({ result }) => bitsOf(result)) as [string, string];
  const { sha256 } = timed[0]!.result.policy;
  const bits =
    first === second ? `Both end in the same bits (\`${sha256}\`).` : `**The two differ**: ${first} and ${second}.`;
  const shared = ['sampling', 'evaluation'] as const;
  return [
    {
      name: 'machines: speed',
      table: speedTable(one, two),
      remarks: [bits],
      holds: first === second && shared.every(part => one[part] / two[part] >= LEAST_FASTER),
    },
    { name: 'machines: simulation', ...simulation(one, two, work), holds: true },
  ];
}

const bitsOf = ({ policy, evaluations }: CurriculumResult): string =>
  JSON.stringify([policy.sha256, evaluations.map(({ uri: _, ...row }) => row)]);

function speedTable(one: Timings, two: Timings): Table {
  const row = (what: string, field: 'sampling' | 'evaluation' | 'update') => [
    what,
    ...[one[field], two[field]].map(seconds => `${seconds.toFixed(2)} s`),
    `${(one[field] / two[field]).toFixed(2)}x`,
  ];
  return {
    columns: ['', 'one worker', 'two workers', 'faster'],
    lines: [
      row("a step's rollouts", 'sampling'),
      row('an evaluation', 'evaluation'),
      row("a step's update, by one of them", 'update'),
    ],
  };
}

/** Of the paper's steps, made of the prompts that were measured over and over. */
function simulation(
  one: Timings,
  two: Timings,
  { shards, promptsPerStep, steps }: Workload & { shards: number },
): Pick<Finding, 'table' | 'remarks'> {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const perPrompt = sum(one.rollouts) / (promptsPerStep * (steps - 1));
  const spread = (k: number) => perPrompt * (0.85 + (0.3 * ((k * 37) % PAPER_PROMPTS)) / (PAPER_PROMPTS - 1));
  const prompts = Array.from({ length: PAPER_PROMPTS }, (_, k) => spread(k));
  const busy = sum(one.rollouts) / (steps - 1);
  const shardOverhead = Math.max(0, (one.sampling - busy) / shards);
  // What the helpers' shards took longer than the same shards without a policy to load, at least nothing.
  const weights = Math.max(0, (sum(two.rollouts) - sum(one.rollouts)) / (steps - 1));
  const scale = PAPER_PROMPTS / promptsPerStep;
  const parts = { prompts, shardOverhead, weights, alone: 2 * one.between + scale * one.update };
  const rows = SIMULATED.map(workers => simulateStep(parts, workers));
  const [alone] = rows as [(typeof rows)[number]];
  return {
    table: {
      columns: ['workers', 'shards', 'sampling', 'faster', 'whole step', 'faster'],
      lines: rows.map(({ workers, shards, sampling, step }) => {
        const times = [sampling, alone.sampling / sampling, step, alone.step / step].map(value => value.toFixed(1));
        return [`${workers}`, `${shards}`, `${times[0]} s`, `${times[1]}x`, `${times[2]} s`, `${times[3]}x`];
      }),
    },
    remarks: [
      `Simulated, with measured times: steps of ${PAPER_PROMPTS} prompts, ${perPrompt.toFixed(2)} s each to sample (give or take 15 %),`,
      `${(1000 * shardOverhead).toFixed(0)} ms a shard, ${(1000 * weights).toFixed(0)} ms for the weights, ${parts.alone.toFixed(1)} s for scores and update.`,
    ],
  };
}
