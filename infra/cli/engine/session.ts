/** What the engine commands share: a model opened in an engine of their own, progress on standard error, results put in place whole. */
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { createEngine } from '../../../activities/engine/host.js';
import { resolveModel } from '../../../activities/engine/model-source.js';
import { hasOptimizer, OPTIMIZER_FILE } from '../../../activities/engine/optimizer-state.js';
import { DEFAULT_OPTIMIZER, type Engine, type OptimizerSettings } from '../../../activities/engine/protocol.js';
import { loadTokenizer, type Tokenizer } from '../../../activities/engine/tokenizer.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { UserError } from '../../user-error.js';
import { atLeastOne, share, zeroOrMore } from './numbers.js';

export interface EngineFlags {
  model: string;
  threads?: number;
}

export function withEngineFlags(command: Command): Command {
  return command
    .requiredOption('--model <folder>', 'Hugging Face folder, or hf:owner/name[@revision]')
    .option('--threads <n>', 'threads of the engine; results do not depend on it (default: one a core)', atLeastOne);
}

export interface TrainingFlags extends EngineFlags {
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
  return withEngineFlags(command)
    .requiredOption('--output <folder>', 'new or empty folder for the trained model (Hugging Face layout, 32-bit)')
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
    .option('--micro-batch-tokens <n>', 'tokens of one forward and backward pass: bounds memory', atLeastOne, 2048);
}

export function optimizerSettings(flags: TrainingFlags): OptimizerSettings {
  const { lr, beta1, beta2, epsilon, weightDecay, clipNorm } = flags;
  return { learningRate: lr, beta1, beta2, epsilon, weightDecay, maxGradNorm: clipNorm };
}

export interface ModelSession {
  engine: Engine;
  directory: string;
  /** Loaded at the first call; a run on ids needs none. */
  tokenizer(): Promise<Tokenizer>;
}

/** Opens the model in an engine process that ends with `work`. @param optimizer as in the engine's load request */
export async function withModel<T>(
  flags: EngineFlags,
  optimizer: string | null,
  work: (session: ModelSession) => Promise<T>,
): Promise<T> {
  const { directory } = await resolveModel(flags.model, { cacheDir: join(cacheFolder(), 'models') });
  const engine = createEngine(flags.threads === undefined ? {} : { threads: flags.threads });
  let tokenizer: Promise<Tokenizer> | undefined;
  try {
    note(`loading ${directory}`);
    await engine.call('load', { directory, optimizer, tag: 'loaded' });
    return await work({
      engine,
      directory,
      tokenizer: () => {
        tokenizer ??= loadTokenizer(directory);
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
export async function trainModel(flags: TrainingFlags, work: (session: ModelSession) => Promise<void>): Promise<void> {
  const output = resolve(flags.output);
  const present = await readdir(output).catch(() => []);
  if (present.length > 0)
    throw new UserError(`${output}: already holds ${present[0]}; expected a new or empty folder (--output).`);
  const state = flags.optimizer === undefined ? null : resolve(flags.optimizer);
  const resumed = state !== null && (await hasOptimizer(state)) ? state : null;
  const parent = await mkdtemp(join(dirname(output), '.longhaul-')).catch(error => {
    throw new UserError(`${dirname(output)}: cannot be written to (${(error as Error).message}).`);
  });
  try {
    await withModel(flags, resumed, async session => {
      await work(session);
      const directory = join(parent, 'model');
      note(`writing ${output}`);
      const { sha256 } = await session.engine.call('save', { directory, withOptimizer: state !== null });
      if (state !== null && state !== output) await moveOptimizer(directory, state);
      await rename(directory, output);
      note(`model.safetensors sha256 ${sha256}`);
    });
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
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
