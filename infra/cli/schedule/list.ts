/** `longhaul schedule list`. */
import type { ScheduleSummary } from '@temporalio/client';
import { Command } from 'commander';
import { columns } from '../../view/columns.js';
import { withRunningServer } from '../server.js';
import { type ScheduleFlags, withScheduleFlags } from './on-schedule.js';

export function listCommand(): Command {
  return withScheduleFlags(new Command('list'))
    .description('the schedules of evaluations on the server')
    .action(async (flags: ScheduleFlags) => {
      const lines = await withRunningServer(flags, async client => {
        const found: string[][] = [];
        for await (const schedule of client.schedule.list()) {
          if (schedule.action?.workflowType === 'evaluation') found.push(row(schedule));
        }
        if (found.length === 0) return ['There is none. To make one: npx longhaul schedule create --help'];
        return columns([['schedule', 'state', 'next', 'last'], ...found]);
      });
      process.stdout.write(lines.map(line => `${line}\n`).join(''));
    });
}

function row({ scheduleId, state, info }: ScheduleSummary): string[] {
  const last = info.recentActions.at(-1)?.takenAt;
  return [
    scheduleId,
    state.paused ? `paused${state.note ? ` (${state.note})` : ''}` : 'active',
    state.paused ? '' : (info.nextActionTimes[0]?.toISOString() ?? ''),
    last?.toISOString() ?? '',
  ];
}
