/** Which step of a run is meant by a command's flags: one that is not told of its stage is the last that there is. */
import type { Command } from 'commander';
import { stepNumbers } from '../../activities/policies/index.js';
import type { StageAttempt, Store } from '../../activities/store/index.js';
import { storedRun } from '../ui/stages.js';
import type { StepAt } from '../ui/step.js';
import { UserError } from '../user-error.js';

export interface StepFlags {
  step?: string;
  stage?: string;
  attempt?: string;
}

export const withStepFlags = (command: Command): Command =>
  command
    .option('--step <k>', 'which step (default: the last)')
    .option('--stage <stage>', 'of which stage, e.g. phase-2 (default: the last that has such a step)')
    .option('--attempt <n>', 'of which attempt of the stage (default: the current one)');

/** @throws UserError, NotThereError where there is no such run, stage or step */
export async function stepAt(store: Store, run: string, flags: StepFlags): Promise<StepAt> {
  const [step, attempt] = [naturalOf('--step', flags.step), naturalOf('--attempt', flags.attempt)];
  if (attempt !== undefined && flags.stage === undefined)
    throw new UserError(`--attempt ${attempt}: say of which stage, with --stage.`);
  const { stages } = await storedRun(store, run);
  const names = stages.map(({ stage }) => stage.stage);
  const chosen = stages.map(({ stage }) => stage).filter(({ stage }) => stage === (flags.stage ?? stage));
  if (chosen.length === 0)
    throw new UserError(
      flags.stage === undefined
        ? `The run "${run}" has begun no stage yet.`
        : `--stage ${flags.stage}: the run "${run}" has ${names.join(', ') || 'begun none yet'}.`,
    );
  const stage = attempt === undefined ? null : { ...chosen[0]!, attempt };
  return last(store, run, stage ? [stage] : chosen, step);
}

/** The step in the last of the stages that has it. */
async function last(store: Store, run: string, stages: StageAttempt[], step: number | undefined): Promise<StepAt> {
  const known: string[] = [];
  for (const stage of stages.reverse()) {
    const steps = await stepNumbers(store, stage);
    const found = step === undefined ? steps.at(-1) : steps.find(one => one === step);
    if (found !== undefined) return { stage, step: found };
    if (steps.length > 0) known.push(`${stage.stage} has ${steps[0]} to ${steps.at(-1)}`);
  }
  const there = known.length > 0 ? known.join(', ') : 'none is logged yet';
  throw new UserError(`The run "${run}" has no ${step === undefined ? 'step' : `step ${step}`}: ${there}.`);
}

function naturalOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UserError(`${flag} ${text}: expected a whole number from 1.`);
}
