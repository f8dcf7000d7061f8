/** `longhaul engine logprobs`: what a model gives each token of a text. */
import { Command } from 'commander';
import type { z } from 'zod';
import { checkIds } from '../../../activities/engine/process/index.js';
import { inLots, type Placed, placed, readLines, writeLines } from '../json-lines.js';
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
          const read = (line: Placed<z.output<typeof sequenceRecord>>) =>
            placed(line.place, async () => {
              const ids = await promptIds(line.record, session);
              checkIds(ids, session.config, 'a sequence');
              return ids;
            });
          for await (const lot of inLots(readLines(flags.input, sequenceRecord), LOT)) {
            const sequences = await Promise.all(lot.map(read));
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
