/**
 * The evaluation spec: which model answers which benchmarks, and how. The schema is the type; defaults stand here and
 * nowhere else, and are the paper's where it names one (arXiv 2505.17667, section 4.1).
 */
import { z } from 'zod';
import { BENCHMARKS, type BenchmarkName } from '../benchmarks/index.js';
import { dataSourceSchema } from '../datasets/index.js';
import { chatSchema } from '../remote/index.js';
import { rewardSchema } from '../rewards/index.js';
import { ITEMS_FOLDER } from '../store/index.js';
import { memorySchema } from './memory-settings.js';
import { benchmarkSamplingSchema } from './rl-settings.js';
import { promptSchema, runNameSchema, shardsSchema } from './run-spec.js';
import { checkedBy, InvalidSpecError, type SpecIssue } from './spec-issues.js';
import { unusedByTemplate, withOverrides } from './validate-spec.js';

const positiveInt = z.int().positive();
/** The paper's limit, in tokens. */
const PAPER_INPUT = 120_000;

const labelSchema = runNameSchema.refine(
  label => label !== ITEMS_FOLDER,
  `expected another name than "${ITEMS_FOLDER}"`,
);

/** What is evaluated: exactly one of `run`, `folder` and `remote`. */
export const evaluatedModelSchema = z
  .strictObject({
    run: runNameSchema.optional().describe('A policy of this run in the store.'),
    policy: z
      .string()
      .regex(
        /^(?:newest|final|base|[0-9a-f]{32})$/,
        'expected "newest", "final", "base" or the name of a policy (32 hexadecimal digits)',
      )
      .optional()
      .meta({
        unlessGiven: 'newest',
        description:
          'Which one: `newest` as the store has it when the evaluation begins, `final`, `base`, or a policy’s name.',
      }),
    folder: z.string().min(1).optional().describe('A Hugging Face folder, or `hf:owner/name[@revision]`.'),
    remote: chatSchema.optional().describe('An OpenAI-compatible endpoint.'),
  })
  .refine(({ run, folder, remote }) => [run, folder, remote].filter(given => given !== undefined).length === 1, {
    error: 'expected exactly one of "run", "folder" and "remote"',
  })
  .refine(({ run, policy }) => policy === undefined || run !== undefined, {
    error: 'expected "run" beside it: only a run has policies',
    path: ['policy'],
  })
  .meta({
    description: 'What is evaluated: exactly one of `run`, `folder` and `remote`.',
    oneOf: [{ required: ['run'] }, { required: ['folder'] }, { required: ['remote'] }],
  });

export type EvaluatedModelSpec = z.output<typeof evaluatedModelSchema>;

const benchmarkSchema = z.strictObject({
  name: runNameSchema.describe('What tables call it; one of the paper’s seven names also chooses the official metric.'),
  source: dataSourceSchema.describe('Where the items are read from.'),
  limit: positiveInt.optional().meta({ unit: 'items', unlessGiven: 'all', description: 'The first so many items.' }),
  metric: z
    .enum(Object.keys(BENCHMARKS) as [BenchmarkName, ...BenchmarkName[]])
    .optional()
    .meta({
      unlessGiven: 'by the name, or by what the source can only be',
      description: 'The benchmark whose official metric is shown beside the reward.',
    }),
});

export const evaluationSpecSchema = z.strictObject({
  model: evaluatedModelSchema,
  label: labelSchema
    .optional()
    .meta({ unlessGiven: 'by the model', description: 'The model’s name in tables and in the store.' }),
  benchmarks: z.array(benchmarkSchema).min(1).describe('What is asked.'),
  prompt: promptSchema,
  sampling: benchmarkSamplingSchema.prefault({}).describe('How answers are sampled.'),
  samples: positiveInt.default(1).meta({ unit: 'answers', description: 'Answers to each question: n of mean@n.' }),
  passAt: z.array(positiveInt).default([]).describe('The k of each pass@k to be shown, `samples` at most.'),
  maxInputTokens: positiveInt.optional().meta({
    unit: 'tokens',
    unlessGiven: '120000, or the model’s context less sampling.maxNewTokens where that is smaller',
    description: 'Longest prompt: documents lose their middle beyond it. Default: the paper’s.',
  }),
  memory: memorySchema.optional().meta({ unlessGiven: 'documents are read at once' }),
  tokenizer: z.string().min(1).optional().meta({
    unlessGiven: 'the local model’s own',
    description:
      'The model (folder or `hf:owner/name`) whose tokenizer counts input tokens; the same for all models makes them read the same text.',
  }),
  reward: rewardSchema
    .omit({ custom: true, evidence: true })
    .prefault({})
    .describe('How answers are scored: by rule and judge alone, so that rows compare, whatever trained the models.'),
  seed: z.int().min(0).default(1).describe('All randomness of local models follows from it.'),
  shards: shardsSchema.meta({
    unit: 'shards',
    unlessGiven: '1',
    description:
      'Into how many each benchmark is cut for a local model: several GPU workers share them. It changes no bit.',
  }),
});

/** A valid spec as `validateEvaluation` returns it. */
export type EvaluationSpec = z.output<typeof evaluationSpecSchema>;

const WHAT = 'evaluation spec';

/** What is wrong with an evaluation spec. */
export const invalidEvaluation = (issues: SpecIssue[]) => new InvalidSpecError(issues, WHAT);

/**
 * Checks a spec as users write it.
 * @param overrides values by dotted path, set before checking: `benchmarks.0.limit`
 * @throws InvalidSpecError naming every wrong path
 */
export function validateEvaluation(input: unknown, overrides: Record<string, unknown> = {}): EvaluationSpec {
  const issues: SpecIssue[] = [];
  const raw = withOverrides(input, overrides, issues);
  const parsed = checkedBy(evaluationSpecSchema, raw);
  issues.push(...parsed.issues.map(explained), ...contradictions(rightFields(raw), benchmarkNames(raw)));
  if (parsed.data === undefined || issues.length > 0) throw invalidEvaluation(issues);
  return parsed.data;
}

/** The fields that are right by themselves, however wrong the others are. */
function rightFields(raw: unknown): Partial<EvaluationSpec> {
  if (typeof raw !== 'object' || raw === null) return {};
  const checked = Object.entries(evaluationSpecSchema.shape).map(
    ([name, schema]) => [name, schema.safeParse((raw as Record<string, unknown>)[name])] as const,
  );
  return Object.fromEntries(checked.flatMap(([name, { success, data }]) => (success ? [[name, data]] : [])));
}

/** As written, whatever else is wrong with a benchmark; null where it has none. */
function benchmarkNames(raw: unknown): (string | null)[] {
  const { benchmarks } = (raw ?? {}) as { benchmarks?: unknown };
  return Array.isArray(benchmarks) ? benchmarks.map(one => (typeof one?.name === 'string' ? one.name : null)) : [];
}

/** A list of models is a file's, of which each becomes an evaluation of its own. */
function explained(issue: SpecIssue): SpecIssue {
  if (issue.path !== 'models') return issue;
  return {
    ...issue,
    problem: 'expected one "model": a list is for `longhaul evaluate`, which starts one evaluation for each',
  };
}

/** What each field alone cannot show. */
function contradictions(
  { samples, passAt = [], prompt, model, memory, maxInputTokens }: Partial<EvaluationSpec>,
  names: (string | null)[],
): SpecIssue[] {
  const issues = prompt ? unusedByTemplate(prompt) : [];
  if (memory && maxInputTokens !== undefined)
    issues.push({
      path: 'maxInputTokens',
      problem: 'expected nothing beside "memory", whose chunkTokens and maxChunks say how much is read',
    });
  for (const field of ['variables', 'date'] as const)
    if (model?.remote && prompt?.[field] !== undefined)
      issues.push({
        path: `prompt.${field}`,
        problem:
          'expected nothing: the endpoint renders its chat template itself; what it takes for it goes into model.remote.extra, as chat_template_kwargs for vLLM and SGLang',
      });
  names.forEach((name, k) => {
    if (name === null || names.indexOf(name) === k) return;
    issues.push({
      path: `benchmarks[${k}].name`,
      problem: `expected a name of its own, found "${name}" a second time`,
    });
  });
  passAt.forEach((k, i) => {
    if (samples === undefined || k <= samples) return;
    issues.push({ path: `passAt[${i}]`, problem: `expected at most samples (${samples}), found ${k}` });
  });
  return issues;
}

/** The tokens that a prompt may have, the model's context known. */
export function inputLimit(spec: EvaluationSpec, contextLength: number): number {
  const room = contextLength - spec.sampling.maxNewTokens;
  if (room < 1) {
    throw invalidEvaluation([
      {
        path: 'sampling.maxNewTokens',
        problem: `expected less than the model's context of ${contextLength} tokens, found ${spec.sampling.maxNewTokens}`,
      },
    ]);
  }
  const { maxInputTokens = Math.min(PAPER_INPUT, room) } = spec;
  if (maxInputTokens <= room) return maxInputTokens;
  throw invalidEvaluation([
    {
      path: 'maxInputTokens',
      problem: `expected at most the model's context of ${contextLength} tokens less sampling.maxNewTokens (${spec.sampling.maxNewTokens}), found ${maxInputTokens}`,
    },
  ]);
}

/** The limit where no model is at hand whose context is known. */
export const remoteInputLimit = ({ maxInputTokens = PAPER_INPUT }: EvaluationSpec): number => maxInputTokens;

/** The model's name where none is given. */
export function defaultLabel({ run, policy, folder, remote }: EvaluatedModelSpec): string {
  if (run !== undefined) return policy === undefined || policy === 'newest' ? run : `${run}-${policy}`;
  const name = (remote?.model ?? folder!).replace(/@[^/]*$/, '').replace(/[\\/]+$/, '');
  return labelText(name.slice(name.lastIndexOf('/') + 1));
}

/** Any text as a name that may stand in the store. */
export function labelText(text: string): string {
  return (
    text
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 80) || 'model'
  );
}
