/**
 * The run spec: everything a run is decided by. The schema is the type; every field a user may leave out has its default
 * here and nowhere else, so the spec in the store (`runs/<run>/spec.json`) says all of it.
 */

import { z } from 'zod';
import { dataSourceSchema, OVERLAPS } from '../datasets/index.js';
import {
  ALGORITHM_NAMES,
  DEFAULT_LORA,
  DEFAULT_MICRO_BATCH_TOKENS,
  DEFAULT_OPTIMIZER,
} from '../engine/protocol/index.js';
import { rewardSchema } from '../rewards/index.js';

const positiveInt = z.int().positive();
const fraction = z.number().min(0).max(1);

/** Names become folder names and workflow ids: no separators, nothing that escapes the store's root. */
export const runNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'expected letters, digits, ".", "_" or "-", 100 at most, the first a letter or digit',
  );

/** QwenLong-L1's evaluation prompt (arXiv 2505.17667, appendix). */
export const PAPER_PROMPT =
  'Please read the following text and answer the question below.\n\n<text>\n{document}\n</text>\n\n{question}\n\n' +
  'Format your response as follows: "Therefore, the answer is (insert answer here)".';

const optimizerSchema = z.strictObject({
  learningRate: z.number().positive(),
  beta1: fraction.default(DEFAULT_OPTIMIZER.beta1),
  beta2: fraction.default(DEFAULT_OPTIMIZER.beta2),
  epsilon: z.number().positive().default(DEFAULT_OPTIMIZER.epsilon),
  weightDecay: z.number().min(0).default(DEFAULT_OPTIMIZER.weightDecay),
  maxGradNorm: z.number().min(0).default(DEFAULT_OPTIMIZER.maxGradNorm),
});

/** What is trained in the weights' stead: low-rank adapters (arXiv 2106.09685) beside linear layers. */
const loraSchema = z.strictObject({
  rank: positiveInt.default(DEFAULT_LORA.rank),
  alpha: z.number().positive().default(DEFAULT_LORA.alpha),
  /** Last parts of the layers' names, or `all-linear`: every one but the head. */
  targetModules: z
    .union([z.array(z.string().min(1)).min(1), z.literal('all-linear')], {
      error: 'expected a list of names of linear layers, or "all-linear"',
    })
    .default(DEFAULT_LORA.targetModules),
  /** Scales the adapter by alpha / sqrt(rank) instead of alpha / rank. */
  rslora: z.boolean().default(DEFAULT_LORA.rslora),
});

const samplingSchema = z.strictObject({
  temperature: z.number().min(0).default(0.7),
  topP: z.number().gt(0).max(1).default(0.95),
  topK: z.int().min(0).default(0),
  maxNewTokens: positiveInt,
});

/** Reinforcement learning settings; a phase may override any of them. Paper's values where a laptop can bear them. */
const rlShape = {
  algorithm: z.enum(ALGORITHM_NAMES).default('dapo'),
  /** G: responses to each prompt. */
  groupSize: z.int().min(2).default(8),
  /** Groups with reward variance wanted for a step. */
  promptsPerStep: positiveInt.default(16),
  /** Groups of one optimiser update; a step makes ceil(groups / this) of them. */
  promptsPerUpdate: positiveInt.optional(),
  optimizer: optimizerSchema,
  sampling: samplingSchema,
  /** The ratio is kept within [1 - clipLow, 1 + clipHigh]; the algorithm's own range unless given (engine/training/algorithms.ts). */
  clipLow: fraction.optional(),
  clipHigh: z.number().min(0).optional(),
  /** Holds the policy near the one that RL starts from, after the warm-up: the coefficient of KL(policy || that one) in the loss. */
  kl: z.strictObject({ coefficient: z.number().positive() }).nullable().default(null),
  /** Truncated importance sampling between sampler and trainer (Yao et al. 2025): the most a token may weigh. Null leaves it out. */
  importanceCap: z.number().positive().nullable().default(null),
  /** DAPO's soft overlong punishment, in response tokens; null leaves it out. */
  overlong: z.strictObject({ maxLength: positiveInt, cache: positiveInt }).nullable().default(null),
  /** DAPO only: token mean within each prompt's group (the paper) or over the whole mini-batch (the authors' code). */
  tokenMean: z.enum(['group', 'batch']).default('group'),
  /** Dynamic sampling: further rounds of prompts to replace groups without reward variance. 3 where the algorithm has it, else 0. */
  maxRefills: z.int().min(0).optional(),
  signal: z
    .strictObject({
      /** A step with fewer effective groups (after refills) has no signal. */
      minEffectiveGroups: z.int().min(1).default(2),
      /** So many signal-less steps in a row stop the phase. */
      patience: positiveInt.default(3),
      onMissing: z.enum(['stop', 'continue']).default('stop'),
    })
    .prefault({}),
};
export const rlSchema = z.strictObject(rlShape);

const phaseSchema = z.strictObject({
  /** L_k: samples with L_(k-1) < prompt tokens <= L_k are this phase's own band. */
  maxTokens: positiveInt,
  steps: positiveInt,
  /** Any of the `rl` settings, for this phase alone: merged over the run's and checked as a whole by `validateSpec`. */
  rl: z.record(z.string(), z.unknown()).optional(),
});

/** Difficulty-aware retrospective sampling (arXiv 2505.17667, section 3.2). The paper leaves fraction, smoothing and replacement open. */
const retrospectiveSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** Carried samples as a share of the pool (carried / (band + carried)). */
  fraction: z.number().min(0).lt(1).default(0.25),
  /** Candidates: `inverse-mean-reward` weighs every earlier sample by 1 / (mean reward + smoothing) (Eq. 10); `zero-accuracy` takes only those never answered (section 3.2's rule), evenly. */
  weight: z.enum(['inverse-mean-reward', 'zero-accuracy']).default('inverse-mean-reward'),
  /** Keeps Eq. 10 finite at mean reward 0. */
  smoothing: z.number().positive().default(0.125),
  replacement: z.boolean().default(false),
});

const evaluationSetSchema = z.strictObject({
  name: runNameSchema,
  source: dataSourceSchema,
  limit: positiveInt.optional(),
  /** What it may have in common with what is trained on; all else is refused as contamination. */
  allowOverlap: z.array(z.enum(OVERLAPS)).default([]),
});

export const runSpecSchema = z.strictObject({
  seed: z.int().min(0).default(1),
  /** A Hugging Face folder or `hf:owner/name[@revision]`. */
  model: z.string().min(1),
  /** Trains adapters and leaves the model's weights as they are; null trains all weights. */
  lora: loraSchema.nullable().default(null),
  prompt: z
    .strictObject({
      /** {document} and {question} are filled in. */
      template: z
        .string()
        .refine(
          t => t.includes('{document}') && t.includes('{question}'),
          'expected a text with {document} and {question}',
        )
        .default(PAPER_PROMPT),
      /** Puts "[1]", "[2]", … before the documents, so that a response can cite them. */
      numbered: z.boolean().default(false),
      /** Wrap the prompt as a user message in the model's chat template. */
      chat: z.boolean().default(true),
      /** The system message of the chat, if any. */
      system: z.string().nullable().default(null),
      /** Training and warm-up: documents lose their middle until the prompt has at most so many tokens. Null: none does. */
      truncate: z.strictObject({ maxTokens: positiveInt }).nullable().default(null),
    })
    .prefault({}),
  /** What the phases draw from, by length. */
  data: z.array(dataSourceSchema).min(1),
  warmup: z
    .strictObject({
      /** Samples with traces; those whose prompt exceeds `maxTokens` are left out. */
      data: z.array(dataSourceSchema).min(1),
      maxTokens: positiveInt.optional(),
      epochs: positiveInt.default(1),
      batchSize: positiveInt.default(8),
      optimizer: optimizerSchema,
    })
    .nullable()
    .default(null),
  reward: rewardSchema.prefault({}),
  rl: rlSchema,
  phases: z.array(phaseSchema).min(1),
  retrospective: retrospectiveSchema.prefault({}),
  evaluation: z
    .strictObject({
      sets: z.array(evaluationSetSchema).default([]),
      /** Which policies are evaluated; the last phase's is always the final policy. */
      policies: z.array(z.enum(['base', 'sft', 'phases', 'final'])).default(['base', 'sft', 'phases', 'final']),
      sampling: samplingSchema.optional(),
      /** Documents lose their middle until the prompt has at most so many tokens. Null: the model's context less maxNewTokens. */
      maxInputTokens: positiveInt.nullable().default(null),
      /** Responses to each question. */
      samples: positiveInt.default(1),
    })
    .prefault({}),
  checkpoints: z
    .strictObject({
      /**
       * A snapshot every so many steps; policies between are rebuilt from the redo log. `auto` weighs what one costs against
       * what a failure would have done again (workflows/snapshot-interval.ts).
       */
      everySteps: z
        .union([z.literal('auto'), positiveInt], { error: 'expected "auto" or a whole number, 1 or more' })
        .default('auto'),
      /**
       * Of engines or their machines, in hours, for `auto`. Unless given a cluster's: in Llama 3's pre-training something
       * failed unexpectedly 419 times in 54 days (arXiv 2407.21783, section 3.3.4).
       */
      meanTimeBetweenFailures: z.number().positive().default(3),
      /** Of a stage's snapshots the newest so many stay. What it begins and ends with does in any case. */
      keep: z
        .union([z.literal('all'), positiveInt], { error: 'expected "all" or a whole number, 1 or more' })
        .default(2),
    })
    .prefault({}),
  engine: z
    .strictObject({
      /** Tokens of one forward and backward pass. Part of the spec because it fixes the order of summation, so the bits. */
      microBatchTokens: positiveInt.default(DEFAULT_MICRO_BATCH_TOKENS),
    })
    .prefault({}),
});

/** RL settings with every default filled in, also those that depend on the algorithm. */
export type RlSettings = Filled<z.output<typeof rlSchema>>;
type Filled<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
export interface PhaseSpec {
  maxTokens: number;
  steps: number;
  rl: RlSettings;
}
type Parsed = z.output<typeof runSpecSchema>;
export type CheckpointSettings = Parsed['checkpoints'];
export type WarmupSpec = NonNullable<Parsed['warmup']>;
export type EvaluationSpec = Filled<Parsed['evaluation']>;
/** A valid spec as `validateSpec` returns it and spec.json holds it. */
export type RunSpec = Omit<Parsed, 'rl' | 'phases' | 'evaluation'> & {
  rl: RlSettings;
  phases: PhaseSpec[];
  evaluation: EvaluationSpec;
};
