/** `longhaul data`: what a run would make of its data, before anything is run. */
import { Command } from 'commander';
import { inspectCommand } from './data/inspect.js';

export function dataCommand(): Command {
  return new Command('data').description("look at a spec's data").addCommand(inspectCommand());
}
