/** Which kind of engine trains a run, and what of it is the run's to say: where a service is, and its key, are the workers'. */
import { z } from 'zod';
import { plainName } from '../engine/folders/index.js';
import { DEFAULT_LORA, DEFAULT_MICRO_BATCH_TOKENS, type LoraSettings } from '../engine/protocol/index.js';
import type { SpecIssue } from './spec-issues.js';

const positiveInt = z.int().positive();

/** At which log-probabilities are had and gradients taken: the wire has no other. */
export const SERVED_TEMPERATURE = 1;

/** What Tinker and SkyRL scale adapters by. */
const SERVED_ALPHA = 32;

const servedLoraSchema = z.strictObject({
  rank: positiveInt.default(DEFAULT_LORA.rank).describe('Rank of the adapter matrices; the service has a largest.'),
  alpha: z
    .number()
    .positive()
    .default(SERVED_ALPHA)
    .describe('The adapter is scaled by alpha / rank. No request says it: expected is what the service has anyway.'),
});

export const engineSchema = z
  .strictObject({
    kind: z.enum(['onnx', 'tinker']).optional().meta({
      unlessGiven: 'onnx',
      description:
        'Who trains and samples: `onnx`, the workers themselves; `tinker`, a training service that speaks Tinker’s wire (SkyRL, TuFT, the hosted one), where `rl.sampling.temperature` is 1. See [Tinker](tinker.md).',
    }),
    model: z.string().min(1).optional().meta({
      unlessGiven: 'the name in `model`',
      description:
        'tinker only: what the service calls the model, as `Qwen/Qwen3-8B`. Must be the same model as `model`, whose tokenizer makes the prompts.',
    }),
    lora: servedLoraSchema.optional().meta({
      unlessGiven: 'an adapter of rank 16 on all linear layers',
      description: 'tinker only: the adapter that is trained. Services are asked to train adapters alone.',
    }),
    microBatchTokens: positiveInt.default(DEFAULT_MICRO_BATCH_TOKENS).meta({
      unit: 'tokens',
      description:
        'Tokens of one forward and backward pass. Part of the spec because it fixes the order of summation, so the bits.',
    }),
  })
  .prefault({})
  .describe('How the engine computes, where that changes results.');

/** Of a run that the workers themselves train there is no kind: so it was before there were others. */
export type EngineSpec =
  | { kind?: undefined; microBatchTokens: number }
  | { kind: 'tinker'; model: string; lora: z.output<typeof servedLoraSchema>; microBatchTokens: number };

/** With what it leaves open filled in. @param model the spec's own */
export function filledEngine(engine: z.output<typeof engineSchema>, model: string): EngineSpec {
  const { kind, microBatchTokens } = engine;
  if (kind !== 'tinker') return { microBatchTokens };
  const { model: served = plainName(model), lora = servedLoraSchema.parse({}) } = engine;
  return { kind, model: served, lora, microBatchTokens };
}

/** Fields that mean nothing to the engine that is chosen. */
export function engineIssues(engine: z.output<typeof engineSchema>, lora: unknown): SpecIssue[] {
  if (engine.kind === 'tinker') {
    if (lora === null) return [];
    return [{ path: 'lora', problem: 'expected nothing: with engine.kind "tinker" the adapter is engine.lora' }];
  }
  const given = (['model', 'lora'] as const).filter(field => engine[field] !== undefined);
  return given.map(field => ({
    path: `engine.${field}`,
    problem: `expected nothing: it is for engine.kind "tinker"${field === 'lora' ? '; the adapter of a run that the workers train is lora' : ''}`,
  }));
}

/** What a service calls the model; null where the workers train it. */
export const servedModel = ({ engine }: { engine: EngineSpec }): string | null =>
  engine.kind === 'tinker' ? engine.model : null;

/** The adapter that a run trains, whoever does it; null where all weights are trained. */
export function adapterOf({ engine, lora }: { engine: EngineSpec; lora: LoraSettings | null }): LoraSettings | null {
  if (engine.kind !== 'tinker') return lora;
  return { ...engine.lora, targetModules: 'all-linear', rslora: false };
}
