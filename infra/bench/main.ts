/** `npm run bench`: the benchmarks, one a subcommand. */
import { Command } from 'commander';
import { UserError } from '../user-error.js';
import { engineBench } from './engine.js';
import { historyBench } from './history.js';
import { overheadBench } from './overhead.js';

new Command('npm run bench --')
  .description('Measures longhaul.')
  .showHelpAfterError('(add --help for what there is)')
  .addCommand(engineBench())
  .addCommand(overheadBench())
  .addCommand(historyBench())
  .parseAsync(process.argv)
  .catch((error: Error) => {
    process.stderr.write(`${error instanceof UserError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });

// Servers and workers that were started end with this process, and scratch folders go.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
