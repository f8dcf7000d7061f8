/** `npm run trial -- machines`: two machines, what befalls them, and how fast they are together. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CHECKOUT } from '../../checkout.js';
import { atLeastOne } from '../../cli/engine/numbers.js';
import { loadSpec } from '../../specs/spec-files.js';
import { type Finding, type PageFlags, tell, withPageFlag } from '../findings.js';
import { compare } from './comparison.js';
import { disturbedRun } from './disturbed.js';
import { resultTable, sharesTable, strikesTable } from './report.js';
import { speedTrial } from './speed/speed.js';
import { WORKLOAD } from './speed/workload.js';
import { undisturbedRun } from './undisturbed.js';

const SPEC = join(CHECKOUT, 'infra', 'trials', 'machines', 'spec.yaml');

interface Flags extends PageFlags {
  speed?: boolean;
  shards: number;
  promptTokens: number;
  steps: number;
  set: string[];
  keep?: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

export function addMachines(command: Command): void {
  withPageFlag(command)
    .description(
      'a run on two machines (network namespaces) with a Temporal server and an S3 store between them: they are killed, ' +
        'cut off and slowed, and it must end with the bits of an undisturbed run; needs root',
    )
    .option('--speed', 'instead: how much faster two workers are than one, each pinned to a core; needs no root')
    .option('--shards <n>', 'into how many the work is cut', atLeastOne, 4)
    .option(
      '--set <path=value>',
      'lay a value over the spec (repeatable)',
      (text, before: string[]) => [...before, text],
      [],
    )
    .option('--prompt-tokens <n>', 'with --speed: tokens of the longest document', atLeastOne, WORKLOAD.promptTokens)
    .option('--steps <n>', 'with --speed: steps, of which the first is not counted', atLeastOne, WORKLOAD.steps)
    .option('--keep <folder>', 'keep databases, stores and logs there')
    .action(async (flags: Flags) => {
      const folder = flags.keep ? resolve(flags.keep) : await mkdtemp(join(tmpdir(), 'longhaul-machines-'));
      await mkdir(folder, { recursive: true });
      try {
        const findings = flags.speed
          ? await speedTrial(folder, { ...WORKLOAD, ...flags }, say)
          : await trial(folder, flags);
        await tell(findings, flags);
      } finally {
        if (!flags.keep) await rm(folder, { recursive: true, force: true });
      }
    });
}

async function trial(folder: string, { shards, set }: Flags): Promise<Finding[]> {
  const { spec } = await loadSpec(SPEC, [...set, `shards=${shards}`], CHECKOUT);
  say('the undisturbed run …');
  const calm = await undisturbedRun(folder, spec);
  say(`took ${calm.seconds.toFixed(0)} s. The disturbed one, on two machines, in ${shards} shards:`);
  return disturbedRun(folder, spec, say, async disturbed => {
    const { files, different } = await compare(calm, disturbed);
    const missed = disturbed.missed.map(({ what }) => `The run was over before a machine could be ${what}.`);
    const same = different.length === 0 ? 'the same bits' : `${different.length} differ: ${different.join('; ')}`;
    return [
      { name: 'machines: strikes', table: strikesTable(disturbed), remarks: missed, holds: missed.length === 0 },
      { name: 'machines: shares', table: sharesTable(disturbed.completed), holds: true },
      {
        name: 'machines: result',
        table: resultTable(calm, disturbed),
        remarks: [`${files} files of steps compared: ${same}.`],
        holds: different.length === 0,
      },
    ];
  });
}
