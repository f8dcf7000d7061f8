/** `longhaul engine update`: policy-gradient updates on scored rollouts. */
import { Command, Option } from 'commander';
import { CLIP_RANGES } from '../../../activities/engine/losses.js';
import type { Algorithm, LossSettings, ScoredGroup } from '../../../activities/engine/protocol.js';
import { UserError } from '../../user-error.js';
import { readLines } from './json-lines.js';
import { atLeastOne, positive, zeroOrMore } from './numbers.js';
import { rolloutRecord } from './records.js';
import { note, optimizerSettings, type TrainingFlags, trainModel, withTrainingFlags } from './session.js';

interface UpdateFlags extends TrainingFlags {
  rollouts: string;
  algorithm: Algorithm;
  minibatch?: number;
  clipLow?: number;
  clipHigh?: number;
  temperature: number;
  tokenMean: LossSettings['tokenMean'];
  overlongMaxLength?: number;
  overlongCache?: number;
}

export function updateCommand(): Command {
  const { grpo, dapo } = CLIP_RANGES;
  return withTrainingFlags(new Command('update'))
    .description('one optimiser update on scored rollouts')
    .requiredOption(
      '--rollouts <file>',
      'JSON lines {"prompt_ids", "responses": [{"ids", "logprobs", "reward"}]}; - is standard input',
    )
    .addOption(new Option('--algorithm <name>', 'loss').choices(Object.keys(CLIP_RANGES)).makeOptionMandatory())
    .option('--minibatch <n>', 'groups of one update (default: one update over the whole file)', atLeastOne)
    .option('--clip-low <x>', `the ratio is kept above 1 minus this (default: ${grpo.clipLow})`, zeroOrMore)
    .option(
      '--clip-high <x>',
      `and below 1 plus this (default: ${grpo.clipHigh} for grpo, ${dapo.clipHigh} for dapo)`,
      zeroOrMore,
    )
    .option('--temperature <x>', 'temperature the rollouts were sampled at', positive, 1)
    .addOption(
      new Option(
        '--token-mean <scope>',
        "dapo: token mean within each prompt's group (the paper) or over the whole update (the authors' code)",
      )
        .choices(['group', 'batch'])
        .default('group'),
    )
    .option('--overlong-max-length <n>', "DAPO's soft overlong punishment: -1 beyond so many tokens", atLeastOne)
    .option('--overlong-cache <n>', 'the punishment sets in so many tokens before that', atLeastOne)
    .addHelpText(
      'after',
      '\nPrints the metrics of each update as a JSON line. Advantages: (r - mean) / (sample std + 1e-6) within a group.',
    )
    .action((flags: UpdateFlags) => {
      const loss = lossSettings(flags);
      return trainModel(flags, async ({ engine }) => {
        const groups: ScoredGroup[] = [];
        for await (const { prompt_ids, responses } of readLines(flags.rollouts, rolloutRecord))
          groups.push({ promptIds: prompt_ids, responses });
        if (groups.length === 0) throw new UserError(`${flags.rollouts}: holds no rollouts.`);
        const size = flags.minibatch ?? groups.length;
        for (let start = 0, update = 1; start < groups.length; start += size, update++) {
          const metrics = await engine.call('update', {
            groups: groups.slice(start, start + size),
            loss,
            optimizer: optimizerSettings(flags),
            microBatchTokens: flags.microBatchTokens,
            tag: `update ${update}`,
          });
          process.stdout.write(`${JSON.stringify({ update, ...metrics })}\n`);
          note(`update ${update} of ${Math.ceil(groups.length / size)}: loss ${metrics.loss.toFixed(4)}`);
        }
      });
    });
}

function lossSettings(flags: UpdateFlags): LossSettings {
  const { algorithm, temperature, tokenMean, overlongMaxLength, overlongCache } = flags;
  if ((overlongMaxLength === undefined) !== (overlongCache === undefined))
    throw new UserError('--overlong-max-length and --overlong-cache go together: give both or neither.');
  return {
    algorithm,
    clipLow: flags.clipLow ?? CLIP_RANGES[algorithm].clipLow,
    clipHigh: flags.clipHigh ?? CLIP_RANGES[algorithm].clipHigh,
    temperature,
    tokenMean,
    overlong: overlongMaxLength === undefined ? null : { maxLength: overlongMaxLength, cache: overlongCache! },
  };
}
