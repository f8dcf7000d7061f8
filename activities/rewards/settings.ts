/** How responses are rewarded: the part of a spec that training and evaluation share. */
import { z } from 'zod';
import { chatSchema, endpointShape } from '../remote/index.js';
import { DEFAULT_JUDGE_PROMPT, judgePromptProblem } from './judge-prompt.js';
import { SCORERS } from './rules.js';

/** Asked about responses that the rule does not pass, multiple choice apart. */
const judgeSchema = z.strictObject({
  ...chatSchema.shape,
  promptFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('A file with the prompt; it is read as the run begins, and what it says is kept as `prompt`.'),
  prompt: z
    .string()
    .superRefine((text, context) => {
      const problem = judgePromptProblem(text);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .default(DEFAULT_JUDGE_PROMPT)
    .meta({
      unlessGiven: 'a text in activities/rewards/judge-prompt.ts',
      description: 'What the judge is asked; {question}, {answers} and {response} are filled in, each quoted.',
    }),
  maxTokens: z
    .int()
    .positive()
    .default(1024)
    .meta({ unit: 'tokens', description: 'Longest judgement, thinking included.' }),
  tokenBudget: z.int().positive().nullable().default(null).meta({
    unit: 'tokens',
    description: 'For one round of responses; what is asked beyond them leaves its group unscored. null: no bound.',
  }),
});

/** A reward of the user's own: a module, or an endpoint (rewards/custom.ts has what they are given and give). */
const customSchema = z
  .strictObject({
    ...endpointShape,
    url: endpointShape.url.nullable().default(null).describe('An endpoint that rewards; either this or `module`.'),
    module: z
      .string()
      .regex(/\.(js|mjs|cjs)$/, 'expected a file that ends in .js, .mjs or .cjs')
      .nullable()
      .default(null)
      .describe('A file of JavaScript that exports a function, as default or as `reward`.'),
    combine: z
      .enum(['replace', 'max'])
      .default('replace')
      .describe('In place of the rule’s and the judge’s reward, or whichever is more.'),
  })
  .refine(({ url, module }) => (url === null) !== (module === null), 'expected either module or url');

/** LongRLVR (arXiv 2603.02146): ans + weight * F + (1 - weight) * ans * F over the documents that a response cites. */
const evidenceSchema = z.strictObject({
  weight: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of the citations alone; the rest counts with the answer.'),
  beta: z.number().positive().default(2).describe('Of F-beta: how many times as much recall counts as precision.'),
});

export const rewardSchema = z.strictObject({
  scorer: z
    .enum(SCORERS)
    .default('hardened')
    .describe(
      'The rule. `hardened` passes equal answers only; `qwenlong-l1` gives what the authors’ code gives, holes included, for numbers that compare with theirs.',
    ),
  judge: judgeSchema
    .nullable()
    .default(null)
    .describe('A model that is asked about answers that the rule does not pass, multiple choice apart; null: none.'),
  custom: customSchema
    .nullable()
    .default(null)
    .describe('A reward of your own, in training alone: evaluations stay comparable. null: none.'),
  evidence: evidenceSchema
    .nullable()
    .default(null)
    .describe(
      'In training alone: ans + weight * F + (1 - weight) * ans * F over the documents that a response cites (LongRLVR, arXiv 2603.02146). Needs `prompt.numbered`, and samples with `evidence`. null: none.',
    ),
});

export type RewardSettings = z.output<typeof rewardSchema>;
export type JudgeSettings = NonNullable<RewardSettings['judge']>;
export type CustomSettings = NonNullable<RewardSettings['custom']>;
export type EvidenceSettings = NonNullable<RewardSettings['evidence']>;

/** As evaluations reward: by rule and judge alone, so that their scores are shares and rows compare, whatever trained them. */
export function evaluationReward(settings: RewardSettings): RewardSettings {
  return { ...settings, custom: null, evidence: null };
}
