/** `longhaul schedule`: evaluations that start by themselves, every night say, and what they came to. */
import { Command } from 'commander';
import { nextCommand } from '../local/command-lines.js';
import { createCommand } from './schedule/create.js';
import { historyCommand } from './schedule/history.js';
import { listCommand } from './schedule/list.js';
import { onSchedule } from './schedule/on-schedule.js';
import { triggerCommand } from './schedule/trigger.js';

export function scheduleCommand(): Command {
  return new Command('schedule')
    .description('evaluate by the clock: the newest policy of a run every night, say, compared with the night before')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        "  longhaul schedule create nightly --evaluation eval.yaml --run my-run --cron '0 3 * * *'\n" +
        '  longhaul schedule trigger nightly --wait\n' +
        '  longhaul schedule history nightly',
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(triggerCommand())
    .addCommand(
      onSchedule('pause', 'let it start nothing until it is resumed', async (handle, name) => {
        await handle.pause('Paused by longhaul schedule pause');
        return `${name} is paused. To go on: ${nextCommand('schedule resume', name)}`;
      }),
    )
    .addCommand(
      onSchedule('resume', 'let it go on, also after a failure paused it', async (handle, name) => {
        await handle.unpause('Resumed by longhaul schedule resume');
        return `${name} goes on.`;
      }),
    )
    .addCommand(
      onSchedule('delete', 'remove it from the server; its history in the store stays', async (handle, name) => {
        await handle.delete();
        return `${name} is deleted. What it evaluated is kept: ${nextCommand('schedule history', name)}`;
      }),
    )
    .addCommand(historyCommand());
}
