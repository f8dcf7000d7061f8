/** `longhaul engine update`: policy-gradient updates on scored rollouts. */
import { Command, Option } from 'commander';
import { checkGroups, checkLogprobs } from '../../../activities/engine/process/index.js';
import {
  ALGORITHM_NAMES,
  type Algorithm,
  type Engine,
  type LossSettings,
  type ReferenceRequest,
  type ScoredGroup,
} from '../../../activities/engine/protocol/index.js';
import { ALGORITHMS, rulesOf } from '../../../activities/engine/training/index.js';
import { UserError } from '../../user-error.js';
import { placed, readLines } from '../json-lines.js';
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
  tokenMean?: LossSettings['tokenMean'];
  maxResponseTokens?: number;
  klCoefficient?: number;
  reference?: string;
  importanceCap?: number;
  overlongMaxLength?: number;
  overlongCache?: number;
}

export function updateCommand(): Command {
  return withTrainingFlags(new Command('update'))
    .description('one optimiser update on scored rollouts')
    .requiredOption(
      '--rollouts <file>',
      'JSON lines {"prompt_ids", "responses": [{"ids", "logprobs", "reward"}]}; - is standard input',
    )
    .addOption(new Option('--algorithm <name>', 'loss').choices(ALGORITHM_NAMES).makeOptionMandatory())
    .option('--minibatch <n>', 'groups of one update (default: one update over the whole file)', atLeastOne)
    .option('--clip-low <x>', `the ratio is kept above 1 minus this (default: ${defaults('clipLow')})`, zeroOrMore)
    .option('--clip-high <x>', `and below 1 plus this (default: ${defaults('clipHigh')})`, zeroOrMore)
    .option('--temperature <x>', 'temperature the rollouts were sampled at', positive, 1)
    .addOption(
      new Option(
        '--token-mean <scope>',
        "dapo: token mean within each prompt's group (the paper, default) or over the whole update (the authors' code)",
      ).choices(['group', 'batch']),
    )
    .option('--max-response-tokens <n>', 'dr-grpo, needed there: the most tokens that a response may have', atLeastOne)
    .option('--kl-coefficient <x>', 'adds so many times KL(policy || reference) to the loss', positive)
    .option('--reference <folder>', 'the reference policy: a Hugging Face folder (default: --model as it was loaded)')
    .option(
      '--importance-cap <x>',
      'truncated importance sampling: weighs tokens by min(p / q, this), p by a scoring pass under --model as it was loaded, q as sampled',
      positive,
    )
    .option('--overlong-max-length <n>', "DAPO's soft overlong punishment: -1 beyond so many tokens", atLeastOne)
    .option('--overlong-cache <n>', 'the punishment sets in so many tokens before that', atLeastOne)
    .addHelpText(
      'after',
      '\nPrints the metrics of each update as a JSON line. What the algorithms are: activities/engine/training/algorithms.ts.',
    )
    .action((flags: UpdateFlags) => {
      const loss = lossSettings(flags);
      return trainModel(flags, async ({ engine, directory, config }) => {
        const groups: ScoredGroup[] = [];
        for await (const { place, record } of readLines(flags.rollouts, rolloutRecord)) {
          const { prompt_ids: promptIds, responses } = record;
          await placed(place, () => {
            checkGroups([{ promptIds, responses: responses.map(response => response.ids) }], config);
            for (const response of responses) checkLogprobs(response, response.logprobs);
          });
          groups.push({ promptIds, responses });
        }
        if (groups.length === 0) throw new UserError(`${flags.rollouts}: holds no rollouts.`);
        if (loss.kl) await engine.call('reference', referenceOf(flags, directory));
        if (loss.importanceCap) await addProximal(engine, groups, loss.temperature);
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

/** A setting's default by algorithm, as help shows it. */
const defaults = (setting: 'clipLow' | 'clipHigh'): string =>
  ALGORITHM_NAMES.map(name => `${name} ${ALGORITHMS[name][setting]}`).join(', ');

function lossSettings(flags: UpdateFlags): LossSettings {
  const { algorithm, temperature, overlongMaxLength, overlongCache } = flags;
  if ((overlongMaxLength === undefined) !== (overlongCache === undefined))
    throw new UserError('--overlong-max-length and --overlong-cache go together: give both or neither.');
  if (flags.reference !== undefined && flags.klCoefficient === undefined)
    throw new UserError('--reference is for a KL term: give --kl-coefficient, too, or leave it out.');
  const { clipLow, clipHigh, options } = rulesOf(algorithm);
  for (const [option, flag] of Object.entries(OPTION_FLAGS) as [keyof typeof OPTION_FLAGS, string][])
    if (flags[option] !== undefined && !options.includes(option))
      throw new UserError(`${flag} does not apply to ${algorithm}: leave it out.`);
  if (options.includes('maxResponseTokens') && flags.maxResponseTokens === undefined)
    throw new UserError(
      `${algorithm} divides by the most tokens that a response may have: give --max-response-tokens.`,
    );
  return {
    algorithm,
    clipLow: flags.clipLow ?? clipLow,
    clipHigh: flags.clipHigh ?? clipHigh,
    temperature,
    tokenMean: flags.tokenMean ?? 'group',
    ...(flags.maxResponseTokens !== undefined && { maxResponseTokens: flags.maxResponseTokens }),
    overlong: overlongMaxLength === undefined ? null : { maxLength: overlongMaxLength, cache: overlongCache! },
    kl: flags.klCoefficient === undefined ? null : { coefficient: flags.klCoefficient },
    importanceCap: flags.importanceCap ?? null,
  };
}

/** Settings that only some algorithms have. */
const OPTION_FLAGS = { tokenMean: '--token-mean', maxResponseTokens: '--max-response-tokens' } as const;

function referenceOf({ reference, adapter }: UpdateFlags, directory: string): ReferenceRequest {
  if (reference !== undefined) return { directory: reference, tag: 'reference' };
  return { directory, adapter: adapter === undefined ? null : { directory: adapter }, tag: 'reference' };
}

/** Scores the responses under the policy as it was loaded: before the first update it is the one that sampled. */
async function addProximal(engine: Engine, groups: readonly ScoredGroup[], temperature: number): Promise<void> {
  const { logprobs } = await engine.call('score', {
    groups: groups.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(r => r.ids) })),
    temperature,
  });
  groups.forEach(({ responses }, i) => {
    responses.forEach((response, j) => {
      response.proximal = logprobs[i]![j]!;
    });
  });
}
