/** `longhaul reward explain`: how one response is scored, step by step, under every scorer. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { TASKS, type Task } from '../../../activities/datasets/index.js';
import {
  type Explanation,
  explainRule,
  FINISHES,
  type ResponseContext,
  SCORERS,
  type Scorer,
} from '../../../activities/rewards/index.js';
import { UserError } from '../../user-error.js';
import { collect } from '../options.js';

interface ExplainFlags extends ResponseContext {
  task: Task;
  gold: string[];
  response?: string;
  file?: string;
  scorer?: Scorer;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('show what is read in a response and in the gold answers, by which rule, and the verdict')
    .addOption(new Option('--task <task>', 'how the answer is asked for').choices(TASKS).makeOptionMandatory())
    .requiredOption('--gold <text>', 'gold answer (repeatable: any will do)', collect)
    .option('--response <text>', 'the whole response')
    .option('--file <file>', 'or the file that it is in')
    .option('--question <text>', 'the question, whose options a choice may name by their text')
    .addOption(new Option('--finish <how>', 'how the response ended; length: it was cut off').choices(FINISHES))
    .option('--prompt-opens-thinking', 'the prompt ended inside <think>, as chat templates of reasoning models have it')
    .addOption(new Option('--scorer <name>', 'whose rules (default: all)').choices(SCORERS))
    .action(async (flags: ExplainFlags) => {
      const response = await responseOf(flags);
      const scorers = flags.scorer === undefined ? SCORERS : [flags.scorer];
      const parts = scorers.map(name => explained(name, explainRule(name, flags.task, response, flags.gold, flags)));
      process.stdout.write(`${parts.join('\n\n')}\n`);
    });
}

async function responseOf({ response, file }: ExplainFlags): Promise<string> {
  if ((response === undefined) === (file === undefined))
    throw new UserError('reward explain: expected either --response TEXT or --file FILE.');
  if (file === undefined) return response!;
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`--file ${file}: cannot be read (${error.code ?? error.message}).`);
  });
}

function explained(scorer: Scorer, { score, extracted, reason, comparisons }: Explanation): string {
  const compared = comparisons.flatMap(({ rule, answer, gold, equal }) => [
    `  rule       ${rule}: ${equal ? 'holds' : 'does not hold'}`,
    `    answer   ${JSON.stringify(answer)}`,
    `    gold     ${JSON.stringify(gold)}`,
  ]);
  return [
    `${scorer}: ${score}`,
    `  extracted  ${extracted === null ? 'nothing' : JSON.stringify(extracted)}`,
    ...compared,
    `  because    ${reason}`,
  ].join('\n');
}
