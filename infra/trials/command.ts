/** What `npm run trial` takes: longhaul against real servers of others, too slow or too large for the tests. */
import { Command } from 'commander';
import { TRIALS } from './trials.js';

export function trialCommand(): Command {
  const command = new Command('npm run trial --');
  command.description('Runs longhaul against real servers of others, and prints a table.');
  for (const { name, add } of TRIALS) add(command.command(name));
  return command;
}
