/** Adapters on the command line: one to go on with, or one to begin. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { plainName } from '../../../activities/engine/folders/index.js';
import { DEFAULT_LORA, type LoadRequest, type LoraSettings } from '../../../activities/engine/protocol/index.js';
import { UserError } from '../../user-error.js';
import { atLeastOne, positive, wholeNumber } from './numbers.js';

export interface LoraFlags {
  loraRank?: number;
  loraAlpha?: number;
  loraTargets?: LoraSettings['targetModules'];
  loraRslora?: true;
  loraSeed?: number;
}

const FLAGS: Record<keyof LoraFlags, string> = {
  loraRank: '--lora-rank',
  loraAlpha: '--lora-alpha',
  loraTargets: '--lora-targets',
  loraRslora: '--lora-rslora',
  loraSeed: '--lora-seed',
};

export function withLoraFlags(command: Command): Command {
  const { rank, alpha, targetModules } = DEFAULT_LORA;
  return command
    .option(
      `${FLAGS.loraRank} <n>`,
      `train a LoRA adapter in the weights' stead, a new one, of this rank (default: ${rank})`,
      atLeastOne,
    )
    .option(
      `${FLAGS.loraAlpha} <x>`,
      `a new adapter's alpha: it is scaled by alpha / rank (default: ${alpha})`,
      positive,
    )
    .option(
      `${FLAGS.loraTargets} <names>`,
      `linear layers that a new adapter stands beside, with commas, or all-linear (default: ${targetModules})`,
      (text: string) => (text === 'all-linear' ? text : text.split(',').map(name => name.trim())),
    )
    .option(FLAGS.loraRslora, 'scale a new adapter by alpha / sqrt(rank)')
    .option(
      `${FLAGS.loraSeed} <n>`,
      'names the random numbers that a new adapter begins with (default: 0)',
      wholeNumber,
    );
}

/**
 * The adapter that the flags ask for: a folder's, a new one if any of --lora-… is there, or none.
 * @param model as `resolveModel` names it
 */
export function adapterOf(
  flags: LoraFlags & { adapter?: string },
  model: string,
): NonNullable<LoadRequest['adapter']> | null {
  const given = (Object.keys(FLAGS) as (keyof LoraFlags)[]).find(flag => flags[flag] !== undefined);
  if (flags.adapter !== undefined) {
    if (given)
      throw new UserError(`--adapter goes on with an adapter and ${FLAGS[given]} begins one: give one of the two.`);
    return { directory: resolve(flags.adapter) };
  }
  if (!given) return null;
  const settings = {
    rank: flags.loraRank ?? DEFAULT_LORA.rank,
    alpha: flags.loraAlpha ?? DEFAULT_LORA.alpha,
    targetModules: flags.loraTargets ?? DEFAULT_LORA.targetModules,
    rslora: flags.loraRslora ?? DEFAULT_LORA.rslora,
  };
  return { fresh: { settings, seed: flags.loraSeed ?? 0, baseModel: plainName(model) } };
}
