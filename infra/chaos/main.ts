/** `npm run chaos`: the harness of faults. */
import { UserError } from '../user-error.js';
import { chaosCommand } from './command.js';

chaosCommand()
  .parseAsync(process.argv)
  .catch((error: Error) => {
    process.stderr.write(`${error instanceof UserError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });

// Each process that is started is ended with this one.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
