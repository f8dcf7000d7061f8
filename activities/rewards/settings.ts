/** How responses are rewarded: the part of a spec that training and evaluation share. */
import { z } from 'zod';
import { chatSchema, endpointShape } from '../remote/index.js';
import { DEFAULT_JUDGE_PROMPT, judgePromptProblem } from './judge-prompt.js';
import { SCORERS } from './rules.js';

/** Asked about responses that the rule does not pass, multiple choice apart. */
const judgeSchema = z.strictObject({
  ...chatSchema.shape,
  /** A file with the prompt; it is read as the run begins, and what it says is kept as `prompt`. */
  promptFile: z.string().min(1).nullable().default(null),
  /** {question}, {answers} and {response} are filled in, each quoted. */
  prompt: z
    .string()
    .superRefine((text, context) => {
      const problem = judgePromptProblem(text);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .default(DEFAULT_JUDGE_PROMPT),
  /** Of a judgement, thinking included. */
  maxTokens: z.int().positive().default(1024),
  /** Tokens for one round of responses; what is asked beyond them leaves its group unscored. Null: no bound. */
  tokenBudget: z.int().positive().nullable().default(null),
});

/** A reward of the user's own: a module, or an endpoint (rewards/custom.ts has what they are given and give). */
const customSchema = z
  .strictObject({
    ...endpointShape,
    url: endpointShape.url.nullable().default(null),
    /** A file of JavaScript that exports a function, as default or as `reward`. */
    module: z
      .string()
      .regex(/\.(js|mjs|cjs)$/, 'expected a file that ends in .js, .mjs or .cjs')
      .nullable()
      .default(null),
    /** In place of the rule's and the judge's reward, or whichever is more. */
    combine: z.enum(['replace', 'max']).default('replace'),
  })
  .refine(({ url, module }) => (url === null) !== (module === null), 'expected either module or url');

/** LongRLVR (arXiv 2603.02146): ans + weight * F + (1 - weight) * ans * F over the documents that a response cites. */
const evidenceSchema = z.strictObject({
  weight: z.number().min(0).max(1).default(0.1),
  /** Of F-beta: how many times as much recall counts as precision. */
  beta: z.number().positive().default(2),
});

export const rewardSchema = z.strictObject({
  /** `hardened`, or `qwenlong-l1`: what the authors' code gives, holes included, for numbers that compare with theirs. */
  scorer: z.enum(SCORERS).default('hardened'),
  judge: judgeSchema.nullable().default(null),
  /** In training alone: what an evaluation says stays comparable. */
  custom: customSchema.nullable().default(null),
  /** In training alone; needs `prompt.numbered`, and samples that say what their answer rests on. */
  evidence: evidenceSchema.nullable().default(null),
});

export type RewardSettings = z.output<typeof rewardSchema>;
export type JudgeSettings = NonNullable<RewardSettings['judge']>;
export type CustomSettings = NonNullable<RewardSettings['custom']>;
export type EvidenceSettings = NonNullable<RewardSettings['evidence']>;

/** As evaluations reward: by rule and judge alone, so that their scores are shares and rows compare, whatever trained them. */
export function evaluationReward(settings: RewardSettings): RewardSettings {
  return { ...settings, custom: null, evidence: null };
}
