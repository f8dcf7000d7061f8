/** `npm run bench -- engine`: measures, prints, keeps, compares. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { CHECKOUT, DEFAULT_STATE } from '../checkout.js';
import { atLeastOne, positive } from '../cli/engine/numbers.js';
import { buildOf } from './against.js';
import { compare, tooSlow } from './comparison.js';
import { PEERS, type Peer } from './peers.js';
import { comparisonTable, remarks, resultTable } from './report.js';
import { type Result, readResult, writeResult } from './result.js';
import { ROWS, type Row } from './rows.js';
import { runRows } from './run.js';
import { CACHE, readyRuntimes } from './runtimes.js';
import { peersHere, selectRows } from './selection.js';
import { asMarkdown, asText } from './table.js';
import { typed } from './typed-path.js';

interface Flags {
  peers?: boolean;
  rows?: string[];
  repetitions: number;
  threads: number;
  smollm2?: string;
  questions?: string;
  against?: string;
  long?: boolean;
  markdown?: boolean;
  baseline?: string;
  save?: string;
  failAbove?: number;
}

/** The stored result that runs are compared with unless told otherwise. */
const BASELINE = join(CHECKOUT, 'infra', 'bench', 'baseline.json');
/** Where every run's result is left. */
const LATEST = join(DEFAULT_STATE, 'bench', 'engine.json');

export function engineBench(): Command {
  return new Command('engine')
    .description('times the engine, alone or in turns with its peers or with another commit, on the same work')
    .option('--peers', 'measure PyTorch, transformers, TRL and llama.cpp too; installs them at the first time')
    .option('--against <commit>', 'measure this commit too, from a build of it beside this one')
    .option('--rows <ids>', 'rows, separated by commas (default: all)', (text: string) => text.split(','))
    .option('--repetitions <n>', 'measured turns of each side, after a warm-up', atLeastOne, 5)
    .option('--threads <n>', 'threads of each side', atLeastOne, 2)
    .option('--smollm2 <folder>', 'SmolLM2-135M as a Hugging Face folder, for the rows that run on it')
    .option(
      '--questions <folder>',
      'hotpotqa.json, 2wikimultihopqa.json and musique.json, for the whole run on SmolLM2',
    )
    .option('--long', 'the rows on 65,536 tokens too, which take minutes; one turn, no warm-up')
    .option('--markdown', 'print Markdown')
    .option('--baseline <file>', 'compare with this stored result (default: the one in infra/bench)')
    .option('--save <file>', 'write the result there too, to be compared with later')
    .option('--fail-above <x>', 'fail when a row is slower than the stored result by more than this ratio', positive)
    .addHelpText(
      'after',
      `\nRows:\n${ROWS.map(({ id, title }) => `  ${id.padEnd(22)}${title}`).join('\n')}\n
Medians of the turns. Each row runs in fresh processes, which take turns; "peak" is the most memory the side's process
ever had resident (of a whole run: the sum over its processes), "ratio" the other's time over ours, "computes" whether the
other found the same gradient, or a whole run the same weights. Peers in bfloat16 take part where the processor has it.
Whole runs take 3 turns at most and no warm-up. With nobody to take turns with, a row stops after some seconds, and the
whole takes under three minutes. Stored results may come from another machine: times are first divided by what a plain
matrix product took in the same run. The result is written to .longhaul/bench/engine.json.
A baseline for this project:  npm run bench -- engine --smollm2 DIR --save infra/bench/baseline.json`,
    )
    .action(bench);
}

async function bench(flags: Flags): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const smollm2 = flags.smollm2 && typed(flags.smollm2);
  const questions = flags.questions && typed(flags.questions);
  const { rows, leftOut } = selectRows({ ...flags, smollm2, questions });
  const baseline = flags.baseline ? typed(flags.baseline) : BASELINE;
  // A file that cannot be used is better refused now than after the measuring.
  const stored = flags.baseline || existsSync(baseline) ? await readResult(baseline) : null;
  for (const { id, flag } of leftOut) log(`${id} is left out: it needs ${flag}`);
  const peers = peersHere(rows);
  if (flags.peers) for (const { peer, feature } of peers.leftOut) log(`${peer} is left out: no ${feature} here`);
  const runtimes = await readyRuntimes(flags.peers ? peersOf(peers.rows) : [], log);
  const against = flags.against === undefined ? null : await buildOf(flags.against, { cache: CACHE, log });
  const { threads, repetitions } = flags;
  const given = { smollm2, questions };
  const result = await runRows(peers.rows, { threads, repetitions, given, runtimes, against, log });
  for (const file of [LATEST, ...(flags.save ? [typed(flags.save)] : [])]) await writeResult(file, result);
  show(result, stored, flags);
  if (Object.values(result.rows).some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

const peersOf = (rows: readonly Row[]): Peer[] => rows.flatMap(row => row.peers.map(({ peer }) => PEERS[peer]));

function show(result: Result, stored: Result | null, { markdown, failAbove }: Flags): void {
  const print = (text: string) => process.stdout.write(`${text}\n\n`);
  const table = markdown ? asMarkdown : asText;
  print(table(resultTable(result)));
  print(remarks(result).join('\n'));
  if (stored === null) {
    print('There is no stored result to compare with; --save infra/bench/baseline.json makes this one it.');
    return;
  }
  const changes = compare(result, stored);
  print(
    `Against the result of ${stored.date} (longhaul ${stored.version}, ${stored.machine.processor}), times in units of ` +
      'a plain matrix product in the same run:',
  );
  print(table(comparisonTable(changes)));
  const slow = failAbove === undefined ? [] : tooSlow(changes, failAbove);
  if (slow.length === 0) return;
  print(`Slower than ${failAbove}x: ${slow.map(({ id }) => id).join(', ')}`);
  process.exitCode = 1;
}
