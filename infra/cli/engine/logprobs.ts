/** `longhaul engine logprobs`: what a model gives each token of a text. */
import { Command } from 'commander';
import { inLots, readLines, writeLines } from '../json-lines.js';
import { promptIds, sequenceRecord } from './records.js';
import { type EngineFlags, note, withEngineFlags, withModel } from './session.js';

const LOT = 16;

export function logprobsCommand(): Command {
  return withEngineFlags(new Command('logprobs'))
    .description('log-probability of every token of given sequences')
    .requiredOption('--input <file>', 'JSON lines {"ids": […]} or {"text": "…"}; - is standard input')
    .requiredOption('--output <file>', 'JSON lines {"ids", "logprobs"}; - is standard output')
    .addHelpText(
      'after',
      '\nNatural logarithms at temperature 1; the first of a sequence, which nothing predicts, is null.',
    )
    .action((flags: EngineFlags & { input: string; output: string }) =>
      withModel(flags, null, async session => {
        async function* results() {
          let done = 0;
          for await (const lot of inLots(readLines(flags.input, sequenceRecord), LOT)) {
            const sequences = await Promise.all(lot.map(record => promptIds(record, session)));
            const { logprobs } = await session.engine.call('logprobs', { sequences });
            for (const [i, ids] of sequences.entries()) yield { ids, logprobs: logprobs[i] };
            done += lot.length;
            note(`${done} sequences`);
          }
        }
        await writeLines(flags.output, results());
      }),
    );
}
