/**
 * How a config.json asks for its rotary frequencies to be scaled, read as transformers 5 reads it: version 5's
 * `rope_parameters` or version 4's `rope_scaling` (which wins where both are there), with `rope_theta` inside or beside
 * them. The arithmetic is rotary.ts's.
 */
import { z } from 'zod';
import { EngineRequestError } from '../protocol/index.js';

/** Position interpolation (arXiv 2306.15595): every frequency over `factor`. */
export interface LinearScaling {
  kind: 'linear';
  factor: number;
}

/** As in Llama 3.1's reference code: low frequencies over `factor`, high ones kept, those between blended. */
export interface Llama3Scaling {
  kind: 'llama3';
  factor: number;
  /** Rotations over the original context up to which a frequency is low, and from which it is high. */
  lowFreqFactor: number;
  highFreqFactor: number;
  /** Tokens of the context that the unscaled model was made for. */
  originalContext: number;
}

/** YaRN (arXiv 2309.00071, section 3.2): from kept to over `factor`, by dimension between two counts of rotations. */
export interface YarnScaling {
  kind: 'yarn';
  factor: number;
  /** Multiplies cosines and sines, so the attention's logits by its square (section 3.4). */
  attentionFactor: number;
  /** Rotations over the original context from which a frequency is kept, and up to which it is divided. */
  betaFast: number;
  betaSlow: number;
  originalContext: number;
  /** Moves the blend's bounds outwards to whole dimensions. */
  truncate: boolean;
}

export type RopeScaling = LinearScaling | Llama3Scaling | YarnScaling;

/** The fields of a config.json that decide its rotary embeddings. */
export interface RopeFields {
  max_position_embeddings: number;
  /** Beside the scaling it wins over the one inside. */
  original_max_position_embeddings?: number | null | undefined;
  rope_theta?: number | null | undefined;
  rope_parameters?: Record<string, unknown> | null | undefined;
  rope_scaling?: Record<string, unknown> | null | undefined;
}

export interface Rope {
  theta: number;
  scaling: RopeScaling | null;
  /** Longest sequence in tokens. */
  contextLength: number;
  /** Share of each head that is rotated, where the rotary parameters name one. */
  partial: number | null;
}

const DEFAULT_ROPE_THETA = 10_000;

const positive = z.number().positive();
const context = z.int().positive().nullish();
/** Null and zero stand for the default, as in transformers. */
const orDefault = z.number().min(0).nullish();

const commonSchema = z.looseObject({
  rope_type: z.string().optional(),
  /** What versions before 4.43 called rope_type. */
  type: z.string().optional(),
  rope_theta: positive.optional(),
  partial_rotary_factor: z.number().nullish(),
  original_max_position_embeddings: context,
});

/** What each kind is read from; what a file leaves out has transformers' default. */
const SCHEMAS = {
  linear: () => z.object({ factor: positive }).transform(({ factor }) => ({ kind: 'linear' as const, factor })),

  llama3: (fields: RopeFields) =>
    z
      .object({
        factor: positive,
        low_freq_factor: positive,
        high_freq_factor: positive,
        original_max_position_embeddings: context,
      })
      .refine(s => s.high_freq_factor > s.low_freq_factor, {
        path: ['high_freq_factor'],
        error: 'expected a number above low_freq_factor',
      })
      .transform(s => ({
        kind: 'llama3' as const,
        factor: s.factor,
        lowFreqFactor: s.low_freq_factor,
        highFreqFactor: s.high_freq_factor,
        originalContext: originalContext(fields, s.original_max_position_embeddings),
      })),

  yarn: (fields: RopeFields) =>
    z
      .object({
        /** Null is the ratio of the two contexts; leaving it out is an error in transformers too. */
        factor: positive.nullable(),
        attention_factor: z.number().min(0).nullish(),
        mscale: orDefault,
        mscale_all_dim: orDefault,
        beta_fast: orDefault,
        beta_slow: orDefault,
        truncate: z.boolean().default(true),
        original_max_position_embeddings: context,
      })
      .transform(s => {
        const original = originalContext(fields, s.original_max_position_embeddings);
        const factor = s.factor ?? fields.max_position_embeddings / original;
        return {
          kind: 'yarn' as const,
          factor,
          attentionFactor: s.attention_factor ?? yarnAttention(factor, s.mscale, s.mscale_all_dim),
          betaFast: s.beta_fast || 32,
          betaSlow: s.beta_slow || 1,
          originalContext: original,
          truncate: s.truncate,
        };
      }),
} satisfies { [K in RopeScaling['kind']]: (fields: RopeFields) => z.ZodType<Extract<RopeScaling, { kind: K }>> };

/**
 * @param path of the config.json, for messages
 * @throws EngineRequestError: `unsupported` for a kind that is not in the table, `bad-model` naming every wrong field
 */
export function readRope(path: string, fields: RopeFields): Rope {
  const field = Object.keys(fields.rope_scaling ?? {}).length > 0 ? 'rope_scaling' : 'rope_parameters';
  const given = fields[field] ?? {};
  const nested = Object.keys(given).find(key => typeof given[key] === 'object' && given[key] !== null);
  if (nested !== undefined)
    throw new EngineRequestError(
      `${path}: ${field}.${nested} has parameters of its own, which is not supported; supported: one set for all layers`,
      'unsupported',
    );
  const common = parse(path, field, commonSchema, given);
  const kind = common.rope_type ?? common.type ?? 'default';
  if (kind !== 'default' && !Object.hasOwn(SCHEMAS, kind))
    throw new EngineRequestError(
      `${path}: ${field}.rope_type '${kind}' is not supported; supported: default, ${Object.keys(SCHEMAS).join(', ')}`,
      'unsupported',
    );
  const scaling =
    kind === 'default' ? null : parse<RopeScaling>(path, field, SCHEMAS[kind as RopeScaling['kind']](fields), given);
  return {
    theta: common.rope_theta ?? fields.rope_theta ?? DEFAULT_ROPE_THETA,
    partial: common.partial_rotary_factor ?? null,
    scaling,
    contextLength: scaledContext(fields, originalContext(fields, common.original_max_position_embeddings), scaling),
  };
}

/** What config.json may say at most, whatever the factor. */
const MOST_POSITIONS = 2 ** 31 - 1;

/** Kinds that are turned on in a config.json whose max_position_embeddings stays that of the unscaled model. */
const LENGTHENING: readonly RopeScaling['kind'][] = ['linear', 'yarn'];

/**
 * The original context times the factor where that is more, as vLLM has it (`_get_and_verify_max_len`); in a file of kind
 * llama3 max_position_embeddings is the longer one already.
 */
function scaledContext(fields: RopeFields, original: number, scaling: RopeScaling | null): number {
  const given = fields.max_position_embeddings;
  if (scaling === null || !LENGTHENING.includes(scaling.kind)) return given;
  return Math.max(given, Math.min(Math.floor(original * scaling.factor), MOST_POSITIONS));
}

function parse<T>(path: string, field: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(issue => `${[field, ...issue.path].join('.')}: ${issue.message}`);
  throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
}

function originalContext(fields: RopeFields, inside: number | null | undefined): number {
  return fields.original_max_position_embeddings ?? inside ?? fields.max_position_embeddings;
}

/** Section 3.4's 0.1 ln(factor) + 1, or DeepSeek's ratio of two such terms where both of its multipliers are given. */
function yarnAttention(factor: number, mscale: number | null | undefined, mscaleAllDim: number | null | undefined) {
  const term = (multiplier: number) => (factor <= 1 ? 1 : 0.1 * multiplier * Math.log(factor) + 1);
  return mscale && mscaleAllDim ? term(mscale) / term(mscaleAllDim) : term(1);
}
