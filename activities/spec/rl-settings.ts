/**
 * How a policy is trained and sampled: the blocks of a spec that phases, warm-up and evaluation share. Defaults are the
 * paper's (QwenLong-L1, arXiv 2505.17667) where a laptop can bear them; where not, the field says so. A default that runs
 * have begun with never changes: a run under way would be another after an upgrade.
 */
import { z } from 'zod';
import { ALGORITHM_NAMES, DEFAULT_LORA, DEFAULT_OPTIMIZER } from '../engine/protocol/index.js';

const positiveInt = z.int().positive();
const fraction = z.number().min(0).max(1);

/** AdamW. @param learningRate the default, and its source in words */
export const optimizerSchema = (learningRate: number, source: string) =>
  z
    .strictObject({
      learningRate: z
        .number()
        .positive()
        .default(learningRate)
        .describe(`Learning rate, the same from first to last step. ${source}`),
      beta1: fraction.default(DEFAULT_OPTIMIZER.beta1).describe('Decay of the mean of gradients.'),
      beta2: fraction.default(DEFAULT_OPTIMIZER.beta2).describe('Decay of the mean of squared gradients.'),
      epsilon: z
        .number()
        .positive()
        .default(DEFAULT_OPTIMIZER.epsilon)
        .describe('Added to the denominator of the update.'),
      weightDecay: z
        .number()
        .min(0)
        .default(DEFAULT_OPTIMIZER.weightDecay)
        .describe('Decoupled weight decay; 0: none.'),
      maxGradNorm: z
        .number()
        .min(0)
        .default(DEFAULT_OPTIMIZER.maxGradNorm)
        .describe('Longest gradient (L2 norm over all weights); a longer one is scaled down to it. 0: no limit.'),
    })
    .prefault({})
    .describe('AdamW (Loshchilov & Hutter 2019).');

export const loraSchema = z.strictObject({
  rank: positiveInt.default(DEFAULT_LORA.rank).describe('Rank of the adapter matrices.'),
  alpha: z.number().positive().default(DEFAULT_LORA.alpha).describe('The adapter is scaled by alpha / rank.'),
  targetModules: z
    .union([z.array(z.string().min(1)).min(1), z.literal('all-linear')], {
      error: 'expected a list of names of linear layers, or "all-linear"',
    })
    .default(DEFAULT_LORA.targetModules)
    .describe("Last parts of the adapted layers' names, or `all-linear`: every one but the head."),
  rslora: z
    .boolean()
    .default(DEFAULT_LORA.rslora)
    .describe('Scales by alpha / sqrt(rank) instead (rank-stabilised, arXiv 2312.03732).'),
});

/** The paper samples up to 10,000: more than most models that a laptop trains have as their whole context. */
const DEFAULT_NEW_TOKENS = 512;

const samplingShape = {
  temperature: z
    .number()
    .min(0)
    .default(0.7)
    .describe('Divides the logits; 0 takes the likeliest token always (evaluation only). Default: the paper’s.'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(0.95)
    .describe(
      'Samples from the likeliest tokens that together have this probability; 1: from all. Default: the paper’s.',
    ),
  topK: z
    .int()
    .min(0)
    .default(0)
    .meta({ unit: 'tokens', description: 'Samples from so many likeliest tokens; 0: from all.' }),
};

const newTokensText =
  'Longest response. Prompt and response share the model’s context, so phases[].maxTokens and this one must fit into it together.';

export const samplingSchema = z.strictObject({
  ...samplingShape,
  maxNewTokens: positiveInt.default(DEFAULT_NEW_TOKENS).meta({
    unit: 'tokens',
    description: `${newTokensText} The paper’s 10,000 are out of a laptop’s reach: raise it for models that reason at length.`,
  }),
});

/** Of a run’s evaluation sets: what is not said is as in training. */
export const evaluationSamplingSchema = z.strictObject({
  ...samplingShape,
  maxNewTokens: positiveInt
    .optional()
    .meta({ unit: 'tokens', description: newTokensText, unlessGiven: 'rl.sampling.maxNewTokens' }),
});

/** The paper's limit, for models that answer at length. */
const PAPER_OUTPUT = 10_000;

/** Of models compared on benchmarks. */
export const benchmarkSamplingSchema = z.strictObject({
  ...samplingShape,
  maxNewTokens: positiveInt.default(PAPER_OUTPUT).meta({
    unit: 'tokens',
    description: 'Longest answer; input and answer share the model’s context. Default: the paper’s.',
  }),
});

export const rlSchema = z.strictObject({
  algorithm: z
    .enum(ALGORITHM_NAMES)
    .default('dapo')
    .describe(
      'How advantages are taken and tokens weighed: a row of activities/engine/training/algorithms.ts. The paper’s best is dapo.',
    ),
  groupSize: z.int().min(2).default(8).meta({
    unit: 'responses',
    description: 'Responses to each prompt, which are compared with one another (G). Default: the paper’s.',
  }),
  promptsPerStep: positiveInt.default(16).meta({
    unit: 'prompts',
    description:
      'Prompts of a step: groups with reward variance, where the algorithm samples dynamically. The paper’s 128, on 32 GPUs, are out of a laptop’s reach.',
  }),
  promptsPerUpdate: positiveInt.optional().meta({
    unit: 'prompts',
    unlessGiven: 'promptsPerStep',
    description:
      'Prompts of one optimiser update; a step makes ceil(prompts / this) of them. The paper makes 4 a step, of 32 each: of a small step one is less noisy.',
  }),
  optimizer: optimizerSchema(
    2e-6,
    'Default: the paper’s, for models of 14 and 32 billion weights; small models and LoRA take more, 1e-5 to 1e-4.',
  ),
  sampling: samplingSchema.prefault({}).describe('How responses are sampled in training.'),
  clipLow: fraction.optional().meta({
    unlessGiven: 'the algorithm’s',
    description: 'The probability ratio stays above 1 - clipLow: 0.2 for most, gspo 0.0003, cispo 1.',
  }),
  clipHigh: z.number().min(0).optional().meta({
    unlessGiven: 'the algorithm’s',
    description: 'The probability ratio stays below 1 + clipHigh: 0.28 for dapo, 0.2 for most, gspo 0.0004, cispo 4.',
  }),
  kl: z
    .strictObject({ coefficient: z.number().positive().describe('Weight of the term in the loss.') })
    .nullable()
    .default(null)
    .describe(
      'Adds coefficient x KL(policy || the one that RL starts from) to the loss; null: no such term, as in the paper.',
    ),
  importanceCap: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Truncated importance sampling between sampler and trainer (Yao et al. 2025): the most a token may weigh. null: none.',
    ),
  overlap: z.boolean().optional().meta({
    unlessGiven: 'false',
    description:
      'engine.kind tinker, and with importanceCap: whether a step’s first round of responses is sampled while the update before it is taken, by the policy before that update. See [Tinker](tinker.md#overlap).',
  }),
  overlong: z
    .strictObject({
      maxLength: positiveInt.meta({ unit: 'tokens', description: 'From here on a response loses a whole point.' }),
      cache: positiveInt.meta({
        unit: 'tokens',
        description: 'So many tokens before maxLength the loss begins, and grows evenly.',
      }),
    })
    .nullable()
    .default(null)
    .describe(
      'Takes reward from overlong responses (DAPO, arXiv 2503.14476, eq. 13); null: does not. The authors’ code has cache 1000.',
    ),
  tokenMean: z
    .enum(['group', 'batch'])
    .default('group')
    .describe(
      'dapo only: tokens are averaged within each prompt’s group (the paper) or over the whole update (the authors’ code).',
    ),
  advantageScale: z.enum(['group', 'task']).optional().meta({
    unlessGiven: 'group',
    description:
      'grpo, dapo, gspo and cispo: what rewards are divided by, the deviation in their group or that of all rewards of their task in the step (QwenLong-L1.5, arXiv 2512.12967).',
  }),
  truncatedLogprobs: z.boolean().optional().meta({
    unlessGiven: 'false',
    description:
      'Whether log-probabilities, of sampler and trainer alike, are of the tokens that sampling.topP and topK keep, so that what is trained is the distribution that was sampled; false: of all tokens.',
  }),
  balanceTasks: z.boolean().optional().meta({
    unlessGiven: 'false',
    description:
      'Whether each step draws as many prompts of one task as of another, however many the pool has of each (QwenLong-L1.5, arXiv 2512.12967).',
  }),
  aepo: z
    .strictObject({
      high: z.number().positive().meta({
        unit: 'nats',
        description:
          'Once the mean entropy of the tokens is above this, responses of negative advantage teach nothing, …',
      }),
      low: z.number().positive().meta({ unit: 'nats', description: '… until it is below this.' }),
    })
    .optional()
    .meta({
      unlessGiven: 'no such control',
      description:
        'Adaptive entropy-controlled policy optimisation (AEPO, arXiv 2512.12967). The entropy is that of the updates before.',
    }),
  maxRefills: z.int().min(0).optional().meta({
    unit: 'rounds',
    unlessGiven: '3 with dapo and cispo, else 0',
    description: 'Rounds of further prompts to replace groups without reward variance (dynamic sampling).',
  }),
  signal: z
    .strictObject({
      minEffectiveGroups: z.int().min(1).default(2).meta({
        unit: 'groups',
        description: 'A step with fewer groups that have reward variance, after refills, has no signal.',
      }),
      patience: positiveInt
        .default(3)
        .meta({ unit: 'steps', description: 'So many steps in a row without signal end the phase.' }),
      onMissing: z
        .enum(['stop', 'continue'])
        .default('stop')
        .describe('What a phase without signal does: fail, so that the run waits for advice, or go on.'),
    })
    .prefault({})
    .describe('When a phase has nothing to learn from.'),
});

/** RL settings with every default filled in, also those that depend on the algorithm. */
export type RlSettings = Filled<Omit<Rl, Option>> & Pick<Rl, Option>;
type Rl = z.output<typeof rlSchema>;
/** What a run has only if it is asked for: absent it is not in the spec, whose bytes are then those of earlier versions. */
type Option = 'advantageScale' | 'balanceTasks' | 'aepo' | 'truncatedLogprobs' | 'overlap';
export type Filled<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
