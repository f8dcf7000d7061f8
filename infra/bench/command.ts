/** What `npm run bench` can do, one benchmark a subcommand. */
import { Command } from 'commander';
import { engineBench } from './engine.js';
import { historyBench } from './history.js';
import { overheadBench } from './overhead.js';
import { profileBench } from './profile.js';

export function benchCommand(): Command {
  return new Command('npm run bench --')
    .description('Measures longhaul.')
    .showHelpAfterError('(add --help for what there is)')
    .addCommand(engineBench())
    .addCommand(overheadBench())
    .addCommand(profileBench())
    .addCommand(historyBench());
}
