/** `longhaul reward score`: rule scores for many responses, JSON lines in and out. */
import { Command, Option } from 'commander';
import { z } from 'zod';
import { TASKS } from '../../../activities/datasets/sample.js';
import { FINISHES, SCORERS, type Scorer, scoreRule } from '../../../activities/rewards/rules.js';
import { readLines, writeLines } from '../json-lines.js';

interface ScoreFlags {
  scorer: Scorer;
  input: string;
  output: string;
}

/** Golds that data holds as numbers or booleans are read as its texts have them. */
const gold = z.union([z.string(), z.number().transform(String), z.boolean().transform(b => (b ? 'True' : 'False'))]);

/** What else a line has is passed over. */
const record = z.object({
  task: z.enum(TASKS),
  response: z.string(),
  gold: z.union([gold, z.array(gold).min(1)], { error: 'expected a text, or a list of texts' }),
  question: z.string().optional(),
  finish: z.enum(FINISHES).optional(),
  promptOpensThinking: z.boolean().optional(),
});

export function scoreCommand(): Command {
  return new Command('score')
    .description('score responses by rule, line by line')
    .addOption(new Option('--scorer <name>', 'whose rules').choices(SCORERS).default('hardened'))
    .requiredOption(
      '--input <file>',
      'JSON lines {"task": "docqa"|"docmath"|"choice", "response": "…", "gold": "…" or […]}, and if known "question", ' +
        '"finish": "stop"|"length"|"other", "promptOpensThinking": true|false; - is standard input',
    )
    .requiredOption(
      '--output <file>',
      'JSON lines {"score": 0|1, "extracted": "…"|null}, in order; - is standard output',
    )
    .addHelpText(
      'after',
      '\nA file is written whole or, where a line cannot be read, not at all; to standard output lines go as they come.',
    )
    .action(({ scorer, input, output }: ScoreFlags) => writeLines(output, scores(scorer, input)));
}

async function* scores(scorer: Scorer, input: string) {
  for await (const { task, response, gold, ...context } of readLines(input, record)) {
    const golds = typeof gold === 'string' ? [gold] : gold;
    const { score, extracted } = scoreRule(scorer, task, response, golds, context);
    yield { score, extracted };
  }
}
