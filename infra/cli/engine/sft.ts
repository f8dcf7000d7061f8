/** `longhaul engine sft`: supervised fine-tuning on prompt and response pairs. */
import { Command } from 'commander';
import { checkGroups } from '../../../activities/engine/process/index.js';
import type { SftExample } from '../../../activities/engine/protocol/index.js';
import { permutation, randomStream } from '../../../activities/engine/random.js';
import { UserError } from '../../user-error.js';
import { placed, readLines } from '../json-lines.js';
import { atLeastOne, wholeNumber } from './numbers.js';
import { exampleIds, exampleRecord } from './records.js';
import {
  type ModelSession,
  note,
  optimizerSettings,
  type TrainingFlags,
  trainModel,
  withTrainingFlags,
} from './session.js';
import { type TemplateFlags, withTemplateFlags } from './template-flags.js';

interface SftFlags extends TrainingFlags, TemplateFlags {
  data: string;
  batch: number;
  epochs: number;
  shuffleSeed?: number;
}

export function sftCommand(): Command {
  return withTemplateFlags(withTrainingFlags(new Command('sft')))
    .description('train a model on prompts and responses')
    .requiredOption(
      '--data <file>',
      'JSON lines {"prompt_ids", "response_ids"} or {"messages": […]}, the last the reply; - is standard input',
    )
    .option('--batch <n>', 'examples of one optimiser step', atLeastOne, 8)
    .option('--epochs <n>', 'passes over the data', atLeastOne, 1)
    .option('--shuffle-seed <n>', 'shuffle each epoch (default: the order of the file)', wholeNumber)
    .addHelpText(
      'after',
      "\nThe loss is each example's mean negative log-likelihood of its response tokens, then the mean over the batch.\n" +
        "Each step's metrics are printed as a JSON line; the last batch of an epoch may be smaller.",
    )
    .action((flags: SftFlags) =>
      trainModel(flags, async session => {
        const examples: SftExample[] = [];
        for await (const { place, record } of readLines(flags.data, exampleRecord)) {
          await placed(place, async () => {
            const example = await exampleIds(record, session);
            checkGroups([{ promptIds: example.promptIds, responses: [example.responseIds] }], session.config);
            examples.push(example);
          });
        }
        if (examples.length === 0) throw new UserError(`${flags.data}: holds no examples.`);
        await train(flags, session, examples);
      }),
    );
}

async function train(flags: SftFlags, { engine }: ModelSession, examples: readonly SftExample[]): Promise<void> {
  const steps = Math.ceil(examples.length / flags.batch) * flags.epochs;
  let step = 0;
  for (let epoch = 0; epoch < flags.epochs; epoch++) {
    const order =
      flags.shuffleSeed === undefined
        ? examples.map((_, i) => i)
        : permutation(examples.length, randomStream(flags.shuffleSeed, 'sft', 'epoch', epoch));
    for (let start = 0; start < order.length; start += flags.batch) {
      step += 1;
      const metrics = await engine.call('sft', {
        examples: order.slice(start, start + flags.batch).map(i => examples[i]!),
        optimizer: optimizerSettings(flags),
        microBatchTokens: flags.microBatchTokens,
        tag: `step ${step}`,
      });
      process.stdout.write(`${JSON.stringify({ step, epoch: epoch + 1, ...metrics })}\n`);
      note(`step ${step} of ${steps}: loss ${metrics.loss.toFixed(4)}`);
    }
  }
}
