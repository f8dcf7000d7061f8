/** `npm run bench`: the benchmarks. */
import { UserError } from '../user-error.js';
import { benchCommand } from './command.js';

benchCommand()
  .parseAsync(process.argv)
  .catch((error: Error) => {
    process.stderr.write(`${error instanceof UserError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });

// Servers and workers that were started end with this process, and scratch folders go.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
