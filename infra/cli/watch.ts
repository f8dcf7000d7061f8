/** `longhaul watch`: the live view of a run on whatever server is configured. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { Command } from 'commander';
import type { ConnectionFlags } from '../../workers/connection.js';
import { adviceLines } from '../local/advice.js';
import { temporalCommand } from '../local/command-lines.js';
import { UserError } from '../user-error.js';
import { restOfMetrics } from '../view/exporter.js';
import { follow } from '../view/follow.js';
import { plannedStepsOf } from '../view/planned-steps.js';
import { evaluationTable } from '../view/progress-text.js';
import { screenOn } from '../view/screen.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { withClient, withConnectionFlags } from './options.js';

/** The last points of a run are with the trackers some seconds after it. */
const PATIENCE_MS = 5000;

export function watchCommand(): Command {
  return withConnectionFlags(new Command('watch').argument('<run>', 'name of the run'))
    .description('show a run live until it ends; Ctrl-C stops the watching, not the run')
    .action(async (run: string, flags: ConnectionFlags) => {
      process.exitCode = await withClient(flags, async client => {
        const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
        const screen = screenOn(process.stdout);
        // Bars and times are drawn without as well, as soon as each stage says it.
        const planned = await plannedStepsOf(client, run).catch(() => ({}));
        const outcome = await follow({
          client,
          run,
          screen,
          planned,
          signal: interrupt.signal,
          advice: adviceLines,
        }).catch(error => {
          if (error instanceof WorkflowNotFoundError) {
            throw new UserError(
              `There is no run "${run}" on this server. Those there are: ${temporalCommand('workflow list')}`,
            );
          }
          throw error;
        });
        screen.keep();
        if (outcome.kind === 'done') screen.print(await restOfMetrics(client, run, PATIENCE_MS));
        if (outcome.kind === 'ended') throw new UserError(`${run}: ${outcome.status}: ${outcome.reason}`);
        if (outcome.kind === 'done') {
          const { policy, evaluations } = outcome.result;
          screen.print([
            '',
            ...evaluationTable(evaluations),
            '',
            `policy   ${policy.uri}`,
            `sha256   ${policy.sha256}`,
          ]);
        }
        return outcome.kind === 'stopped' ? INTERRUPTED : outcome.kind === 'waiting' ? 1 : 0;
      });
    });
}
