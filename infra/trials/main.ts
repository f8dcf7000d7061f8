/** `npm run trial`: longhaul against real servers. */
import { UserError } from '../user-error.js';
import { trialCommand } from './command.js';

trialCommand()
  .parseAsync(process.argv)
  .catch((error: Error) => {
    process.stderr.write(`${error instanceof UserError ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
