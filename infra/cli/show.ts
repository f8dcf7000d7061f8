/** `longhaul show`: the groups of a step, with their responses and what each was worth. */
import { Command, Option } from 'commander';
import { stepNumbers, textModelOf } from '../../activities/policies/index.js';
import type { StageAttempt, Store } from '../../activities/store/index.js';
import { type Models, openTextModel } from '../../activities/text/index.js';
import { NotThereError } from '../ui/errors.js';
import { groupOf } from '../ui/group.js';
import { Samples } from '../ui/samples.js';
import { storedRun } from '../ui/stages.js';
import { type StepAt, stepPage } from '../ui/step.js';
import { watchedStore } from '../ui/watched-store.js';
import { UserError } from '../user-error.js';
import { type Screen, screenOn } from '../view/screen.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';
import { FILTERS, type GroupRow, groupLine, groupText, type Laid, type StepData, stepHead } from './show/step-text.js';

export interface ShowFlags {
  step?: string;
  stage?: string;
  attempt?: string;
  question?: string;
  only: string;
  whole?: boolean;
  json?: boolean;
}

export function showCommand(): Command {
  const command = new Command('show').argument('<run>', 'name of the run');
  return withStateFlag(withStoreFlag(command))
    .option('--step <k>', 'which step (default: the last)')
    .option('--stage <stage>', 'of which stage, e.g. phase-2 (default: the last that has such a step)')
    .option('--attempt <n>', 'of which attempt of the stage (default: the current one)')
    .option('--question <id-or-place>', 'one group alone: its id, the first characters of it, or its place in the step')
    .addOption(new Option('--only <which>', 'groups of one kind').choices(Object.keys(FILTERS)).default('all'))
    .option('--whole', 'prompts from their beginning, not their end alone')
    .option('--json', 'the same as JSON, a group a line')
    .description('print the groups of a step: prompts, responses, rewards, and why; from the store alone')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul show tiny\n  longhaul show tiny --stage phase-1 --step 3 --only mixed | less -R\n' +
        '  longhaul show tiny --step 3 --question 2 --whole',
    )
    .action(async (run: string, flags: ShowFlags & StoreFlags & StateFlags) => {
      const store = await watchedStore(storeOf(flags));
      await showStep({ store, models: { open: openTextModel }, screen: screenOn(process.stdout) }, run, flags);
    });
}

interface Shown {
  store: Store;
  models: Pick<Models, 'open'>;
  screen: Screen;
}

/** @throws UserError for what is not there, and what the store throws */
export async function showStep({ store, models, screen }: Shown, run: string, flags: ShowFlags): Promise<void> {
  try {
    const at = await stepAt(store, run, flags);
    const data = await stepPage(store, at);
    const groups = wanted(data, flags);
    const textOf = (of: string) => textModelOf({ store, models }, of);
    const parts = { store, samples: new Samples(store), textOf };
    const width = screen.terminal ? screen.width : Number.POSITIVE_INFINITY;
    const laid: Laid = { style: screen.style, width, whole: flags.whole === true };
    if (!flags.json) screen.print(stepHead(data, screen.style));
    for (const { group, place } of groups) {
      const { round, line } = group;
      const read = await groupOf(parts, { ...at, round, line });
      if (flags.json) screen.print([JSON.stringify({ place, ...group, ...read })]);
      else screen.print(['', groupLine(place, group, screen.style), ...groupText(read, laid)]);
    }
  } catch (error) {
    throw error instanceof NotThereError ? new UserError(error.message) : error;
  }
}

/** @throws UserError, NotThereError where there is no such run, stage or step */
async function stepAt(store: Store, run: string, flags: ShowFlags): Promise<StepAt> {
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

function wanted(data: StepData, { only, question }: ShowFlags): { group: GroupRow; place: number }[] {
  const all = data.groups.map((group, k) => ({ group, place: k + 1 }));
  if (question === undefined) return all.filter(({ group }) => FILTERS[only]!(group));
  const exact = all.filter(({ group, place }) => group.id === question || String(place) === question);
  const found = exact.length > 0 ? exact : all.filter(({ group }) => group.id.startsWith(question));
  if (found.length > 0) return found;
  const ids = all.map(({ group }) => group.id);
  throw new UserError(
    `--question ${question}: this step has ${ids.length === 0 ? 'no groups' : `the places 1 to ${ids.length}, with ${ids.join(', ')}`}.`,
  );
}

function naturalOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UserError(`${flag} ${text}: expected a whole number from 1.`);
}
