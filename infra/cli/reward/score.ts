/** `longhaul reward score`: rule scores for many responses, JSON lines in and out. */
import { Command, Option } from 'commander';
import { z } from 'zod';
import { answerTexts, FieldAccount, inWords, scalarText, TASKS } from '../../../activities/datasets/index.js';
import { FINISHES, SCORERS, type Scorer, scoreRule } from '../../../activities/rewards/index.js';
import { readLines, writeLines } from '../json-lines.js';

interface ScoreFlags {
  scorer: Scorer;
  input: string;
  output: string;
}

const scored = z.object({
  task: z.enum(TASKS),
  // Tables hold a response that is a number as one.
  response: z.union([z.string(), scalarText], { error: 'expected a text' }),
  gold: answerTexts,
  question: z.string().optional(),
  finish: z.enum(FINISHES).optional(),
  promptOpensThinking: z.boolean().optional(),
});
/** As read, for the account of it. */
const record = z.record(z.string(), z.unknown()).transform((fields, context) => {
  const parsed = scored.safeParse(fields, { error: inWords });
  if (parsed.success) return { ...parsed.data, fields };
  for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
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
  const fields = new FieldAccount(Object.keys(scored.shape), ['response', 'gold']);
  for await (const { record: line } of readLines(input, record)) {
    const { fields: written, task, response, gold, ...context } = line;
    fields.add(written);
    const { score, extracted } = scoreRule(scorer, task, response, gold, context);
    yield { score, extracted };
  }
  for (const remark of fields.remarks()) process.stderr.write(`${remark}\n`);
}
