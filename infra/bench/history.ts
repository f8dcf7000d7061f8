/** `npm run bench -- history`: what a long phase leaves behind on the server and in the memory of its worker. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { atLeastOne } from '../cli/engine/numbers.js';
import { historyLines } from './history/report.js';
import { measureHistory } from './history/run.js';
import { typed } from './typed-path.js';

interface Flags {
  steps: number;
  json?: string;
}

export function historyBench(): Command {
  return new Command('history')
    .description('runs a long phase whose activities answer at once: its histories, and its worker’s memory')
    .option('--steps <n>', 'steps of the phase', atLeastOne, 10_000)
    .option('--json <file>', 'write the result there')
    .addHelpText(
      'after',
      `
A development server with its data in a file, and the project's own workflows in a worker process that does nothing else;
nothing is sampled, scored or trained. 10,000 steps take three minutes and more.`,
    )
    .action(async ({ steps, json }: Flags) => {
      const result = await measureHistory(steps, line => void process.stderr.write(`${line}\n`));
      process.stdout.write(`${historyLines(result).join('\n')}\n`);
      if (json) await writeFile(typed(json), `${JSON.stringify(result, null, 1)}\n`);
    });
}
