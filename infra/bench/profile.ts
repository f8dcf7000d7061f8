/** `npm run bench -- profile`: what a row's time is made of, operator by operator. */
import { Command } from 'commander';
import { atLeastOne } from '../cli/engine/numbers.js';
import { profileRemark, profileTable } from './profile/report.js';
import { profileRow } from './profile/run.js';
import { selectRows } from './selection.js';
import { asMarkdown, asText } from './table.js';
import { typed } from './typed-path.js';

interface Flags {
  rows: string[];
  turns: number;
  threads: number;
  smollm2?: string;
  long?: boolean;
  shapes?: boolean;
  top: number;
  markdown?: boolean;
}

export function profileBench(): Command {
  return new Command('profile')
    .description('says what the time of the engine benchmark’s rows is made of, operator by operator')
    .option('--rows <ids>', 'rows, separated by commas', (text: string) => text.split(','), ['train-256x4'])
    .option('--turns <n>', 'how often the work is done', atLeastOne, 3)
    .option('--threads <n>', 'threads of the engine', atLeastOne, 2)
    .option('--smollm2 <folder>', 'SmolLM2-135M as a Hugging Face folder, for the rows that run on it')
    .option('--long', 'allow the rows on 65,536 tokens, which take minutes')
    .option('--shapes', 'a line for each operator and shape of its inputs')
    .option('--top <n>', 'lines of a table', atLeastOne, 20)
    .option('--markdown', 'print Markdown')
    .addHelpText(
      'after',
      `
Times are a turn's, by onnxruntime's own profiler, which itself takes time: where operators are small, nearly as much as
they. Loops are the operators within them. What the operators do not take is the starting of each, the loops themselves, and JavaScript. The rows are those of
npm run bench -- engine --help, but for whole runs.`,
    )
    .action(profile);
}

async function profile({ rows: ids, turns, threads, shapes = false, top, markdown, ...flags }: Flags): Promise<void> {
  const given = { smollm2: flags.smollm2 && typed(flags.smollm2), questions: undefined };
  const { rows } = selectRows({ ...given, long: flags.long, rows: ids });
  for (const row of rows) {
    const found = await profileRow(row, { turns, threads, given, byShapes: shapes });
    process.stdout.write(`${row.title}\n\n${(markdown ? asMarkdown : asText)(profileTable(found, turns, top))}\n\n`);
    process.stdout.write(`${profileRemark(found, turns)}\n\n`);
  }
}
