/** `longhaul schedule create`. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { Command } from 'commander';
import { TASK_QUEUE } from '../../../activities/contract/index.js';
import { type EvaluationSpec, runNameSchema } from '../../../activities/spec/index.js';
import { nextCommand } from '../../local/command-lines.js';
import { loadEvaluation } from '../../specs/evaluation-files.js';
import { UserError } from '../../user-error.js';
import { collect, workingFolder } from '../options.js';
import { withRunningServer } from '../server.js';
import { type ScheduleFlags, withScheduleFlags } from './on-schedule.js';

/** An evaluation that is late by more than this would be in the way of people at work; the next one comes anyway. */
const CATCHUP_WINDOW = '2 hours';

interface CreateFlags extends ScheduleFlags {
  evaluation: string;
  cron: string;
  run?: string;
  model?: string;
  set?: string[];
  timezone?: string;
}

const HELP = `
Each firing evaluates the newest policy that the run has by then, as the workflow NAME-<time>; its results lie in the store
under evaluations/NAME/<time>. It is compared with the firing before, item by item, and says so when it is worse beyond the
noise (95 %): \`schedule history\` and \`schedule trigger --wait\` exit with 2, and workers in whose environment
LONGHAUL_WEBHOOK_URL is set post every firing there as JSON, "regression" among its fields.

  time zone        cron runs in UTC unless told. In zones such as Europe/Berlin the server leaves out an hour of an hourly or
                   finer schedule in the night when clocks go back: take UTC for what must happen so many times.
  overlap          skipped: a firing that comes while the one before is at work is left out. Two at once would only halve
                   each other's engine, and be compared out of order.
  catch-up         ${CATCHUP_WINDOW}: what was missed for longer, the server being away, is left out.
  pause on failure a firing that fails (the benchmark's file gone, the key refused) pauses the schedule, rather than failing
                   every night unseen: mend it, then \`schedule resume\`. A regression is no failure and pauses nothing.

The same from the Temporal CLI, eval.json being a spec with \`model: {run: RUN}\` and absolute paths:
  temporal schedule create --schedule-id NAME --cron '0 3 * * *' --overlap-policy Skip --catchup-window 2h \\
    --pause-on-failure --type evaluation --task-queue ${TASK_QUEUE} --workflow-id NAME --input-file eval.json

Examples:
  longhaul schedule create nightly --evaluation eval.yaml --run my-run --cron '0 3 * * *'
  longhaul schedule create weekly-o3 --evaluation eval.yaml --model remote:o3-mini --cron '0 3 * * 0' --timezone Europe/Berlin`;

export function createCommand(): Command {
  return withScheduleFlags(new Command('create').argument('<name>', 'name of the schedule'))
    .description('start an evaluation at set times')
    .requiredOption('--evaluation <spec>', 'evaluation spec file, YAML or JSON')
    .requiredOption('--cron <expression>', "when: minute, hour, day of month, month, day of week, e.g. '0 3 * * *'")
    .option('--timezone <name>', 'in which time zone, e.g. Europe/Berlin (default: UTC)')
    .option('--run <name>', "whose newest policy is evaluated, in the place of the spec's model")
    .option('--model <model>', 'another model in its place, as `longhaul evaluate --model` takes them')
    .option('--set <path=value>', 'lay a value over the spec (repeatable)', collect)
    .addHelpText('after', HELP)
    .action(async (name: string, flags: CreateFlags) => {
      process.stdout.write(`${await create(name, flags)}\n`);
    });
}

async function create(name: string, flags: CreateFlags): Promise<string> {
  const checked = runNameSchema.safeParse(name);
  if (!checked.success) throw new UserError(`${name}: ${checked.error.issues[0]!.message}`);
  const spec = await oneEvaluation(name, flags);
  return withRunningServer(flags, async client => {
    try {
      const handle = await client.schedule.create({
        scheduleId: name,
        spec: {
          cronExpressions: [flags.cron],
          ...(flags.timezone !== undefined && { timezone: flags.timezone }),
        },
        action: {
          type: 'startWorkflow',
          workflowType: 'evaluation',
          workflowId: name,
          taskQueue: TASK_QUEUE,
          args: [spec],
        },
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW, pauseOnFailure: true },
      });
      const [next] = (await handle.describe()).info.nextActionTimes;
      return `${name} is created; it first fires at ${next?.toISOString() ?? 'no time: look at --cron'}. To try it: ${nextCommand('schedule trigger', name, '--wait')}`;
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) {
        throw new UserError(
          `There is a schedule "${name}" already. To replace it: ${nextCommand('schedule delete', name)}`,
        );
      }
      // What gRPC calls an invalid argument: a cron expression or a time zone that is none.
      if (error instanceof TypeError) throw new UserError(`The server refuses the schedule: ${error.message}`);
      throw error;
    }
  });
}

async function oneEvaluation(name: string, { evaluation, run, model, set = [] }: CreateFlags): Promise<EvaluationSpec> {
  if (run !== undefined && model !== undefined) throw new UserError('--run and --model: expected one of them.');
  const chosen = run === undefined ? model : `run:${run}`;
  const models = chosen === undefined ? [] : [chosen];
  const loaded = await loadEvaluation(evaluation, { name, settings: set, models }, workingFolder());
  const [only, ...rest] = loaded.evaluations;
  if (rest.length === 0) return only!.spec;
  throw new UserError(
    `${evaluation} has ${loaded.evaluations.length} models, and a schedule evaluates one: choose it with --run or --model.`,
  );
}
