/** `longhaul show`: the groups of a step, with their responses and what each was worth. */
import { Command, Option } from 'commander';
import { textModelOf } from '../../activities/policies/index.js';
import type { OpenedStore } from '../../activities/store/index.js';
import { type Models, openTextModel } from '../../activities/text/index.js';
import { NotThereError } from '../ui/errors.js';
import { groupOf } from '../ui/group.js';
import { Samples } from '../ui/samples.js';
import { stepPage } from '../ui/step.js';
import { watchedStore } from '../ui/watched-store.js';
import { UserError } from '../user-error.js';
import { type Screen, screenOn } from '../view/screen.js';
import { type StateFlags, type StoreFlags, storeOf, withStateFlag, withStoreFlag } from './options.js';
import { FILTERS, type GroupRow, groupLine, groupText, type Laid, type StepData, stepHead } from './show/step-text.js';
import { type StepFlags, stepAt, withStepFlags } from './step-at.js';

export interface ShowFlags extends StepFlags {
  question?: string;
  only: string;
  whole?: boolean;
  json?: boolean;
}

export function showCommand(): Command {
  const command = new Command('show').argument('<run>', 'name of the run');
  return withStepFlags(withStateFlag(withStoreFlag(command)))
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
  store: OpenedStore;
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
