/** `longhaul reward …`: the rule scorers on their own, without a model or a server. */
import { Command } from 'commander';
import { explainCommand } from './reward/explain.js';
import { scoreCommand } from './reward/score.js';

export function rewardCommand(): Command {
  return new Command('reward')
    .description('score responses by rule, and see why')
    .addCommand(scoreCommand())
    .addCommand(explainCommand());
}
