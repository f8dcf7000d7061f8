/** What the engine commands share: a model opened in an engine of their own, progress on standard error, results put in place whole. */
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { WEIGHTS_FILE } from '../../../activities/engine/files/index.js';
import {
  ADAPTER_WEIGHTS_FILE,
  hasOptimizer,
  OPTIMIZER_FILE,
  readConfig,
  resolveModel,
} from '../../../activities/engine/folders/index.js';
import type { DecoderConfig } from '../../../activities/engine/model/index.js';
import { createEngine, type EngineSettings } from '../../../activities/engine/process/index.js';
import {
  DEFAULT_MICRO_BATCH_TOKENS,
  DEFAULT_OPTIMIZER,
  type Engine,
  type OptimizerSettings,
} from '../../../activities/engine/protocol/index.js';
import { loadTokenizer, type TemplateSettings, type Tokenizer } from '../../../activities/engine/text/index.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { engineSettingsOf, withEngineSettings } from '../engine-settings.js';
import { adapterOf, type LoraFlags, withLoraFlags } from './lora-flags.js';
import { expectNew, inNewFolder } from './new-folder.js';
import { atLeastOne, share, zeroOrMore } from './numbers.js';
import { type TemplateFlags, templateSettings } from './template-flags.js';

export interface EngineFlags extends Partial<EngineSettings> {
  model: string;
  adapter?: string;
}

export function withEngineFlags(command: Command, { adapter }: { adapter?: 'required' } = {}): Command {
  return withEngineSettings(
    command
      .requiredOption('--model <folder>', 'Hugging Face folder, or hf:owner/name[@revision]')
      .addOption(
        new Option('--adapter <folder>', "a LoRA adapter for it: PEFT's folder").makeOptionMandatory(
          adapter === 'required',
        ),
      ),
  );
}

export interface TrainingFlags extends EngineFlags, LoraFlags {
  output: string;
  lr: number;
  optimizer?: string;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  clipNorm: number;
  microBatchTokens: number;
}

export function withTrainingFlags(command: Command): Command {
  return withLoraFlags(withEngineFlags(command))
    .requiredOption(
      '--output <folder>',
      "new or empty folder for what is trained: the model (Hugging Face's layout, 32-bit) or its adapter (PEFT's)",
    )
    .requiredOption('--lr <x>', 'learning rate of AdamW', zeroOrMore)
    .option('--optimizer <folder>', "the optimiser's state: read from there if it holds one, and left there at the end")
    .option('--beta1 <x>', 'AdamW', share, DEFAULT_OPTIMIZER.beta1)
    .option('--beta2 <x>', 'AdamW', share, DEFAULT_OPTIMIZER.beta2)
    .option('--epsilon <x>', 'AdamW', zeroOrMore, DEFAULT_OPTIMIZER.epsilon)
    .option('--weight-decay <x>', 'AdamW, decoupled', zeroOrMore, DEFAULT_OPTIMIZER.weightDecay)
    .option(
      '--clip-norm <x>',
      'largest global norm of the gradient; 0: no clipping',
      zeroOrMore,
      DEFAULT_OPTIMIZER.maxGradNorm,
    )
    .option(
      '--micro-batch-tokens <n>',
      'tokens of one forward and backward pass: the order of summation',
      atLeastOne,
      DEFAULT_MICRO_BATCH_TOKENS,
    );
}

export function optimizerSettings(flags: TrainingFlags): OptimizerSettings {
  const { lr, beta1, beta2, epsilon, weightDecay, clipNorm } = flags;
  return { learningRate: lr, beta1, beta2, epsilon, weightDecay, maxGradNorm: clipNorm };
}

export interface ModelSession {
  engine: Engine;
  directory: string;
  /** What ids and lengths are checked against, before the engine is asked. */
  config: DecoderConfig;
  /** The file of the weights that are trained. */
  trainedFile: string;
  /** Loaded at the first call; a run on ids needs none. */
  tokenizer(): Promise<Tokenizer>;
  /** What the chat template is given. */
  template: TemplateSettings;
}

/** Opens the model in an engine process that ends with `work`. @param optimizer as in the engine's load request */
export async function withModel<T>(
  flags: EngineFlags & LoraFlags & TemplateFlags,
  optimizer: string | null,
  work: (session: ModelSession) => Promise<T>,
): Promise<T> {
  const { directory, source } = await resolveModel(flags.model, { cacheDir: join(cacheFolder(), 'models') });
  const adapter = adapterOf(flags, source);
  const engine = createEngine(engineSettingsOf(flags));
  let tokenizer: Promise<Tokenizer> | undefined;
  try {
    note(`loading ${directory}`);
    await engine.call('load', { directory, adapter, optimizer, tag: 'loaded' });
    return await work({
      engine,
      directory,
      config: (await readConfig(directory)).config,
      template: templateSettings(flags),
      trainedFile: adapter ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE,
      tokenizer: () => {
        tokenizer ??= loadTokenizer(directory).then(loaded => {
          if (loaded.remark !== null) note(loaded.remark);
          return loaded;
        });
        return tokenizer;
      },
    });
  } finally {
    await engine.close();
  }
}

/**
 * Opens the model to train it and puts the result in place whole: the folder appears only when `work` is done, and so
 * does the optimiser's state.
 */
export async function trainModel(
  flags: TrainingFlags & TemplateFlags,
  work: (session: ModelSession) => Promise<void>,
): Promise<void> {
  const output = resolve(flags.output);
  await expectNew(output, '--output');
  const state = flags.optimizer === undefined ? null : resolve(flags.optimizer);
  const resumed = state !== null && (await hasOptimizer(state)) ? state : null;
  await withModel(flags, resumed, async session => {
    const { sha256 } = await inNewFolder(output, '--output', async directory => {
      await work(session);
      note(`writing ${output}`);
      const saved = await session.engine.call('save', { directory, withOptimizer: state !== null });
      if (state !== null && state !== output) await moveOptimizer(directory, state);
      return saved;
    });
    note(`${session.trainedFile} sha256 ${sha256}`);
  });
}

/** Into another folder, perhaps on another disk, without a moment in which half of it is there. */
async function moveOptimizer(from: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `${OPTIMIZER_FILE}.${process.pid}.partial`);
  await copyFile(join(from, OPTIMIZER_FILE), partial);
  await rename(partial, join(folder, OPTIMIZER_FILE));
  await rm(join(from, OPTIMIZER_FILE));
}

/** A line for the person watching; results go elsewhere. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
