/** `npm run trial -- s3`: the store in buckets of real servers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pythonEnvironment } from '../../bench/python.js';
import { CHECKOUT } from '../../checkout.js';
import { wholeNumber, zeroOrMore } from '../../cli/engine/numbers.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { type PageFlags, tell, withPageFlag } from '../findings.js';
import { contractTrial } from './contract.js';
import { speedTrial } from './speed.js';

interface Flags extends PageFlags {
  speed?: boolean;
  gib: number;
  runs: number;
  requests: boolean;
  whole: boolean;
}

const FIRST_PORT = 31_000 + 10 * (process.pid % 100);

export function addS3Trial(command: Command): void {
  withPageFlag(command)
    .description(
      'the contract of stores on real S3 servers (Versity, moto, and one that must be refused), or their speed',
    )
    .option('--speed', 'memory and speed instead: a large folder, and tiny runs, on a folder and on a bucket')
    .option('--gib <n>', 'with --speed: size of the folder; 0 for none', zeroOrMore, 8)
    .option(
      '--runs <n>',
      'with --speed: pairs of tiny runs, one on a folder and one on a bucket; 0 for none',
      wholeNumber,
      5,
    )
    .option('--requests', 'with --speed: count the requests of one more tiny run, on a bucket', false)
    .option('--whole', 'with --speed: all of the preset tiny, not 4 steps a phase and 25 items a set', false)
    .action(async ({ speed, gib, runs, requests, whole, ...flags }: Flags) => {
      const say = (line: string) => void process.stderr.write(`${line}\n`);
      const requirements = join(CHECKOUT, 'infra', 'trials', 's3', 'requirements.txt');
      const needs = { who: 'the other servers', python: 'Python 3.10 or newer', disk: '1 GB' };
      const python = await pythonEnvironment({ requirements, cache: cacheFolder(), log: say, needs });
      const folder = await mkdtemp(join(tmpdir(), 'longhaul-trial-s3-'));
      try {
        const findings = speed
          ? await speedTrial({ folder, python, port: FIRST_PORT, gib, runs, requests, whole, say })
          : [await contractTrial(folder, python, FIRST_PORT, say)];
        await tell(findings, flags);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
}
