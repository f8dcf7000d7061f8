/** `longhaul schedule trigger`: a firing now, whatever the clock says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ScheduleHandle, ScheduleOverlapPolicy } from '@temporalio/client';
import { Command } from 'commander';
import type { EvaluationSummary } from '../../../activities/contract/index.js';
import { comparisonLines, REGRESSION } from '../../evaluations/history.js';
import { nextCommand } from '../../local/command-lines.js';
import { UserError } from '../../user-error.js';
import { followEvaluations } from '../../view/follow-evaluations.js';
import { screenOn } from '../../view/screen.js';
import { INTERRUPTED, onInterrupt } from '../interrupt.js';
import { type ScheduleFlags, withSchedule, withScheduleFlags } from './on-schedule.js';

const POLL_MS = 200;
/** In which the server has started what was triggered, or left it out. */
const START_LIMIT_MS = 30_000;

export function triggerCommand(): Command {
  return withScheduleFlags(new Command('trigger').argument('<name>', 'name of the schedule'))
    .description('fire a schedule now')
    .option(
      '--wait',
      `show it until it ends; exits with ${REGRESSION} when it is worse than the firing before, beyond the noise`,
    )
    .action(async (name: string, flags: ScheduleFlags & { wait?: boolean }) => {
      process.exitCode = await withSchedule(name, flags, async (handle, client) => {
        const id = await fire(handle, name);
        if (!flags.wait) {
          process.stdout.write(`${id} has started.\n`);
          return 0;
        }
        const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
        const screen = screenOn(process.stdout);
        screen.print([`${id} has started.`]);
        const outcomes = await followEvaluations({ client, ids: [id], screen, signal: interrupt.signal });
        interrupt.dispose();
        screen.keep();
        const [outcome] = outcomes ?? [];
        if (!outcome) return INTERRUPTED;
        if (outcome.kind === 'ended') throw new UserError(`${id} ended as ${outcome.status}: ${outcome.reason}`);
        screen.print(['', ...summaryLines(outcome.summary)]);
        return outcome.summary.regression ? REGRESSION : 0;
      });
    });
}

/** Fires the schedule, and finds out what was started by it. */
async function fire(handle: ScheduleHandle, name: string): Promise<string> {
  const { info: before } = await handle.describe();
  const known = new Set(before.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  // The client would let firings overlap, and then neither skips one nor pauses the schedule when it fails.
  await handle.trigger(ScheduleOverlapPolicy.SKIP);
  const limit = performance.now() + START_LIMIT_MS;
  while (performance.now() < limit) {
    const { info } = await handle.describe();
    if (info.numActionsSkippedOverlap > before.numActionsSkippedOverlap) {
      const [running] = info.runningActions;
      throw new UserError(`Left out: the firing before, ${running?.workflow.workflowId ?? 'of it'}, is still at work.`);
    }
    const action = info.recentActions.at(-1)?.action;
    if (action && !known.has(action.workflow.firstExecutionRunId)) return action.workflow.workflowId;
    await sleep(POLL_MS);
  }
  throw new UserError(
    `The server started nothing for "${name}" in ${START_LIMIT_MS / 1000} s. Its state: ${nextCommand('schedule list')}`,
  );
}

function summaryLines({ rows, before, regression, notification }: EvaluationSummary): string[] {
  return [
    ...rows.map(({ set, score, low, high }) => `${set}: ${score.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`),
    ...(before ? comparisonLines(before, regression) : ['There is no firing before to compare with.']),
    ...(notification === null ? [] : [`Webhook: ${notification}`]),
  ];
}
