/** What the commands on one schedule share: finding the server and the schedule. */
import { type Client, type ScheduleHandle, ScheduleNotFoundError } from '@temporalio/client';
import { Command } from 'commander';
import type { ConnectionFlags } from '../../../workers/connection.js';
import { nextCommand } from '../../local/command-lines.js';
import { UserError } from '../../user-error.js';
import { type StateFlags, withConnectionFlags, withStateFlag } from '../options.js';
import { withRunningServer } from '../server.js';

export type ScheduleFlags = ConnectionFlags & StateFlags;

export function withScheduleFlags(command: Command): Command {
  return withConnectionFlags(withStateFlag(command));
}

/** A command that does one thing to a schedule, and says what. */
export function onSchedule(
  verb: string,
  description: string,
  act: (handle: ScheduleHandle, name: string) => Promise<string>,
): Command {
  return withScheduleFlags(new Command(verb).argument('<name>', 'name of the schedule'))
    .description(description)
    .action(async (name: string, flags: ScheduleFlags) => {
      await withSchedule(name, flags, async handle => {
        process.stdout.write(`${await act(handle, name)}\n`);
      });
    });
}

/** @throws UserError when the server has no such schedule */
export function withSchedule<T>(
  name: string,
  flags: ScheduleFlags,
  use: (handle: ScheduleHandle, client: Client) => Promise<T>,
): Promise<T> {
  return withRunningServer(flags, async client => {
    try {
      return await use(client.schedule.getHandle(name), client);
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      throw new UserError(
        `There is no schedule "${name}" on this server. Those there are: ${nextCommand('schedule list')}`,
      );
    }
  });
}
