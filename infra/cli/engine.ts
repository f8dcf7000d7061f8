/** `longhaul engine …`: the engine alone, without a server or a store. */
import { Command } from 'commander';
import { generateCommand } from './engine/generate.js';
import { logprobsCommand } from './engine/logprobs.js';
import { mergeCommand } from './engine/merge.js';
import { sftCommand } from './engine/sft.js';
import { updateCommand } from './engine/update.js';

export function engineCommand(): Command {
  return new Command('engine')
    .description('use the engine alone: JSON lines in, JSON lines out, progress on standard error')
    .addCommand(logprobsCommand())
    .addCommand(generateCommand())
    .addCommand(sftCommand())
    .addCommand(updateCommand())
    .addCommand(mergeCommand());
}
