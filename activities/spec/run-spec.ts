/**
 * The run spec: everything a run is decided by. The schema is the type, and the reference: its texts become docs/spec.md and
 * the schema that editors check against (`npm run docs`). Every field a user may leave out has its default here and nowhere
 * else, so the spec in the store (`runs/<run>/spec.json`) says all of it.
 */
import { z } from 'zod';
import { dataSourceSchema, OVERLAPS, trainingSourceSchema } from '../datasets/index.js';
import { RESERVED_VARIABLES } from '../engine/text/index.js';
import { rewardSchema } from '../rewards/index.js';
import { type EngineSpec, engineSchema } from './engine-settings.js';
import { exportSchema } from './export-settings.js';
import {
  evaluationSamplingSchema,
  type Filled,
  loraSchema,
  optimizerSchema,
  type RlSettings,
  rlSchema,
} from './rl-settings.js';
import { withoutDefaults } from './without-defaults.js';

const positiveInt = z.int().positive();

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

const phaseSchema = z.strictObject({
  maxTokens: positiveInt.meta({
    unit: 'tokens',
    description:
      'L_k: the phase’s own samples are those whose prompt is longer than the phase before allows and at most so long. Must grow from phase to phase.',
  }),
  steps: positiveInt.meta({
    unit: 'steps',
    description: 'Steps of the phase: rollouts, rewards and updates of promptsPerStep prompts each.',
  }),
  rl: withoutDefaults(rlSchema).optional().meta({
    like: 'rl',
    description: 'Any of the `rl` settings, for this phase alone; what it leaves out is the run’s.',
  }),
});

const retrospectiveSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether phases draw from the data of the phases before.'),
  fraction: z
    .number()
    .min(0)
    .lt(1)
    .default(0.25)
    .describe('Carried samples as a share of all that the phase draws from. The paper does not say its own.'),
  weight: z
    .enum(['inverse-mean-reward', 'zero-accuracy'])
    .default('inverse-mean-reward')
    .describe(
      '`inverse-mean-reward` carries every earlier sample with the weight 1 / (mean reward + smoothing) (Eq. 10); `zero-accuracy` those never answered, evenly (section 3.2).',
    ),
  smoothing: z
    .number()
    .positive()
    .default(0.125)
    .describe('Keeps Eq. 10 finite where the mean reward is 0. The paper does not say its own.'),
  replacement: z.boolean().default(false).describe('Whether a sample may be carried more than once.'),
  remeasure: z
    .strictObject({
      samples: positiveInt.optional().meta({
        unit: 'samples',
        unlessGiven: 'all that could be carried',
        description: 'So many at most; the others keep the difficulty that they had.',
      }),
      responses: positiveInt.optional().meta({
        unit: 'responses',
        unlessGiven: 'the phase’s rl.groupSize',
        description: 'Responses to each.',
      }),
    })
    .optional()
    .meta({
      unlessGiven: 'difficulty is that of when a sample was last drawn',
      description:
        'Measures difficulty again before each phase after the first, by the policy that the phase begins with and at the phase’s own response length (QwenLong-L1.5, arXiv 2512.12967).',
    }),
});

const evaluationSetSchema = z.strictObject({
  name: runNameSchema.describe('What tables and files call the set: letters, digits, ".", "_" and "-".'),
  source: dataSourceSchema.describe('Where the questions are read from.'),
  limit: positiveInt
    .optional()
    .meta({ unit: 'samples', unlessGiven: 'all', description: 'The first so many samples.' }),
  allowOverlap: z
    .array(z.enum(OVERLAPS))
    .default([])
    .describe('What the set may have in common with what is trained on; all else is refused as contamination.'),
});

/** Values that a chat template reads by name. */
export const templateVariablesSchema = z.record(
  z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'expected a name of letters, digits and "_"')
    .refine(name => !RESERVED_VARIABLES.includes(name), "expected a name that is not a chat template's own"),
  z.json(),
);
const A_DATE = 'expected a date such as "2025-01-31"';
export const isoDateSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, A_DATE)
  .refine(date => z.iso.date().safeParse(date).success, A_DATE);

export const promptSchema = z
  .strictObject({
    template: z
      .string()
      .refine(
        t => t.includes('{document}') && t.includes('{question}'),
        'expected a text with {document} and {question}',
      )
      .default(PAPER_PROMPT)
      .meta({
        unlessGiven: 'the paper’s',
        description: 'The prompt; {document} and {question} are filled in.',
      }),
    numbered: z
      .boolean()
      .default(false)
      .describe('Puts "[1]", "[2]", … before the documents, so that a response can cite them.'),
    chat: z.boolean().default(true).describe('Wraps the prompt as a user message in the model’s chat template.'),
    system: z.string().nullable().default(null).describe('System message of the chat; null: none.'),
    variables: templateVariablesSchema.optional().meta({
      unlessGiven: 'none',
      description: 'What the chat template reads by name, as `enable_thinking: false`.',
    }),
    date: isoDateSchema.optional().meta({
      unlessGiven: 'none: the template takes its own, if it has one',
      description: 'The day that the chat template takes for today, as in `2025-01-31`.',
    }),
    truncate: z
      .strictObject({ maxTokens: positiveInt.meta({ unit: 'tokens', description: 'Longest prompt.' }) })
      .nullable()
      .default(null)
      .describe('Training and warm-up: documents lose their middle until the prompt is so short; null: none does.'),
  })
  .prefault({})
  .describe('How a question over documents becomes a prompt.');

export const modelSchema = z
  .string()
  .min(1)
  .describe('The model to train: a Hugging Face folder (llama, qwen2 or qwen3), or `hf:owner/name[@revision]`.');

/** Beyond what anybody has workers for; each is an activity of its own. */
const MOST_SHARDS = 512;

export const shardsSchema = z.int().min(1).max(MOST_SHARDS).optional().meta({
  unit: 'shards',
  unlessGiven: '1',
  description:
    'Into how many a step’s rollouts, and each evaluation set, are cut: several GPU workers share them. It changes no bit, so a run may go on with another.',
});

export const runSpecSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe('All randomness follows from it: equal spec and data give equal bits.'),
  model: modelSchema,
  lora: loraSchema
    .nullable()
    .default(null)
    .describe(
      'Trains a low-rank adapter (LoRA, arXiv 2106.09685) and leaves the model’s weights as they are; null: trains all weights.',
    ),
  prompt: promptSchema,
  data: z.array(trainingSourceSchema).min(1).describe('What the phases draw from, by length of the prompt.'),
  warmup: z
    .strictObject({
      data: z
        .array(dataSourceSchema)
        .min(1)
        .describe('Samples with traces, which are learned as responses; those without are left out.'),
      maxTokens: positiveInt.optional().meta({
        unit: 'tokens',
        unlessGiven: 'no limit',
        description: 'Longest prompt; samples with a longer one are left out.',
      }),
      epochs: positiveInt.default(1).describe('How often the data is gone through. The paper: 3.'),
      batchSize: positiveInt
        .default(8)
        .meta({ unit: 'samples', description: 'Samples of a step. The paper’s 128 is of 5,305 samples in all.' }),
      optimizer: optimizerSchema(5e-6, 'Default: the paper’s; small models and LoRA take more, 1e-5 to 1e-4.'),
    })
    .nullable()
    .default(null)
    .describe('Supervised fine-tuning on reasoning traces before RL; null: none.'),
  reward: rewardSchema.prefault({}).describe('How responses are rewarded.'),
  rl: rlSchema.prefault({}).describe('Reinforcement learning. A phase may set any of it for itself.'),
  phases: z
    .array(phaseSchema)
    .min(1)
    .describe('The curriculum: phases of growing context, each from the policy of the one before.'),
  retrospective: retrospectiveSchema
    .prefault({})
    .describe(
      'Difficulty-aware retrospective sampling (arXiv 2505.17667, section 3.2): later phases draw from earlier data again, the harder the oftener.',
    ),
  evaluation: z
    .strictObject({
      sets: z.array(evaluationSetSchema).default([]).describe('Held-out questions.'),
      policies: z
        .array(z.enum(['base', 'sft', 'phases', 'final']))
        .default(['base', 'sft', 'phases', 'final'])
        .describe(
          'Which policies are evaluated: the model as given, after the warm-up, after each phase, after the last.',
        ),
      sampling: evaluationSamplingSchema.optional().meta({
        unlessGiven: 'rl.sampling',
        description: 'How answers are sampled; `{ temperature: 0, topP: 1 }` is greedy.',
      }),
      maxInputTokens: positiveInt.nullable().default(null).meta({
        unit: 'tokens',
        description:
          'Longest prompt: documents lose their middle beyond it. null: the model’s context less sampling.maxNewTokens.',
      }),
      samples: positiveInt
        .default(1)
        .meta({ unit: 'responses', description: 'Responses to each question; scores are their means.' }),
    })
    .prefault({})
    .describe('Policies of the run on held-out questions.'),
  checkpoints: z
    .strictObject({
      everySteps: z
        .union([z.literal('auto'), positiveInt], { error: 'expected "auto" or a whole number, 1 or more' })
        .default('auto')
        .meta({
          unit: 'steps',
          description:
            'A snapshot every so many steps; policies between are rebuilt from the log. `auto` weighs what one costs against what a failure would have done again.',
        }),
      meanTimeBetweenFailures: z.number().positive().default(3).meta({
        unit: 'hours',
        description:
          'Of engines or their machines, for `auto`. Default: a cluster’s, Llama 3’s pre-training failed unexpectedly 419 times in 54 days (arXiv 2407.21783, section 3.3.4).',
      }),
      keep: z
        .union([z.literal('all'), positiveInt], { error: 'expected "all" or a whole number, 1 or more' })
        .default(2)
        .meta({
          unit: 'snapshots',
          description: 'Of a stage’s snapshots the newest so many stay. What it begins and ends with does in any case.',
        }),
    })
    .prefault({})
    .describe(
      'When snapshots are written and how long they stay. It changes no bit of the run, so a run may go on with others.',
    ),
  engine: engineSchema,
  shards: shardsSchema,
  export: exportSchema.optional().meta({
    unlessGiven: 'what the cpu worker was started with',
    description:
      'Trackers that get the run’s metrics, each point once. It changes no bit of the run, so a run may go on with others.',
  }),
});

export interface PhaseSpec {
  maxTokens: number;
  steps: number;
  rl: RlSettings;
}
type Parsed = z.output<typeof runSpecSchema>;
export type CheckpointSettings = Parsed['checkpoints'];
export type WarmupSpec = NonNullable<Parsed['warmup']>;
export type EvaluationSpec = Omit<Filled<Parsed['evaluation']>, 'sampling'> & { sampling: RlSettings['sampling'] };
/** A valid spec as `validateSpec` returns it and spec.json holds it. */
export type RunSpec = Omit<Parsed, 'rl' | 'phases' | 'evaluation' | 'engine'> & {
  rl: RlSettings;
  phases: PhaseSpec[];
  evaluation: EvaluationSpec;
  engine: EngineSpec;
};
