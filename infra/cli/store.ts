/** `longhaul store`: the artifacts that workers share, as a whole. */
import { Command } from 'commander';
import { checkCommand } from './store/check.js';
import { copyCommand } from './store/copy.js';
import { createCommand } from './store/create.js';
import { duCommand } from './store/du.js';
import { sweepCommand } from './store/sweep.js';

export function storeCommand(): Command {
  return new Command('store')
    .description('the artifacts that workers share; the local stack makes its own')
    .addCommand(createCommand())
    .addCommand(copyCommand())
    .addCommand(checkCommand())
    .addCommand(duCommand())
    .addCommand(sweepCommand());
}
