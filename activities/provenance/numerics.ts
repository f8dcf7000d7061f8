/**
 * What bits an engine computes, as one hash. A policy that is rebuilt from the redo log is the same only where the engine
 * that rebuilds it computes as the one that made it; another onnxruntime, graph, execution provider or kind of processor
 * may not. Measured on a very small model through the operations that training goes through, and so no proof: two engines
 * of different hashes compute differently, two of the same hash do so as far as was looked.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, WEIGHTS_FILE, writeSafetensors } from '../engine/files/index.js';
import { PROVIDERS, type Provider } from '../engine/graph/index.js';
import { expectedTensors, LANES, parseConfig, ROWS, TILES } from '../engine/model/index.js';
import {
  DEFAULT_OPTIMIZER,
  type Engine,
  type GeneratedResponse,
  type OptimizerSettings,
  type SamplingSettings,
} from '../engine/protocol/index.js';
import { randomStream } from '../engine/random.js';
import { hashOf } from '../store/index.js';

export interface Numerics {
  provider: Provider | 'tinker';
  /** As the operating system names it, for whoever looks for another of its kind; of a service, what it was found to be. */
  processor: string;
  /** Over the provider and everything that was computed. */
  sha256: string;
  /** Of an engine that does not give equal bits: how far apart, relative, a step may come out when it is made again. */
  tolerance?: number;
}

/** Whether two engines are known to compute other bits. Of logs that do not say, and of services, nothing is known. */
export const differ = (a: Numerics | undefined, b: Numerics | undefined): boolean =>
  a !== undefined && b !== undefined && promiseOf(a, b) === 'bits' && a.sha256 !== b.sha256;

/** What an engine promises of a step that is made again: the same bits, or numbers no further apart than this. */
export type RedoPromise = 'bits' | { tolerance: number };

/** @param sides of the log and of the engine that makes the step again: the looser of the two holds */
export function promiseOf(...sides: (Numerics | undefined)[]): RedoPromise {
  const tolerances = sides.flatMap(numerics => numerics?.tolerance ?? []);
  return tolerances.length === 0 ? 'bits' : { tolerance: Math.max(...tolerances) };
}

/** Sizes that vector lanes do not divide, more query heads than key heads, and sums of more terms than are summed in one go. */
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 113,
  hidden_size: 156,
  intermediate_size: 345,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  hidden_act: 'silu',
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  attention_bias: false,
  mlp_bias: false,
};
const PROMPT_TOKENS = [13, 7];
/** What changes the order of sums from a size on, of models or of documents, and is not measured here since these are small. */
const sizesOf = (provider: Provider): object => ({
  constants: PROVIDERS[provider].constantsFrom,
  tiles: TILES,
  lanes: LANES,
  rows: ROWS,
});
/** More than are decoded in one run, so that a past is carried over. */
const SAMPLING: SamplingSettings = { temperature: 0.8, topP: 0.95, topK: 0, maxNewTokens: 37, stopIds: [0] };
const GROUP = 3;
/** A group, its prompt once and its responses: a pass of its own. */
const MICRO_BATCH_TOKENS = 128;
/** Two steps are taken with it: AdamW's first goes by the gradient's signs alone. */
const OPTIMIZER: OptimizerSettings = { ...DEFAULT_OPTIMIZER, learningRate: 1e-2 };
const TAG = 'numerics';

/**
 * Takes the engine: what it held is gone.
 * @throws what the engine throws
 */
export async function measureNumerics(engine: Engine, provider: Provider): Promise<Numerics> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-numerics-'));
  try {
    const directory = join(folder, 'model');
    await writeModel(directory);
    const computed = await compute(engine, directory);
    return {
      provider,
      processor: cpus()[0]?.model ?? 'unknown',
      sha256: hashOf({ provider, computed, bySize: sizesOf(provider) }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Samples, takes a step of each kind, and gives every number that came of it. */
async function compute(engine: Engine, directory: string): Promise<unknown> {
  const random = randomStream('numerics/prompts');
  const prompts = PROMPT_TOKENS.map((tokens, i) => ({
    ids: Array.from({ length: tokens }, () => random.below(CONFIG.vocab_size)),
    seed: `numerics/${i}`,
  }));
  await engine.call('load', { directory, optimizer: null, tag: TAG });
  const { groups } = await engine.call('generate', { prompts, group: GROUP, sampling: SAMPLING });
  const common = { optimizer: OPTIMIZER, microBatchTokens: MICRO_BATCH_TOKENS, tag: TAG };
  const sft = await engine.call('sft', {
    examples: groups.map(({ responses }, i) => ({ promptIds: prompts[i]!.ids, responseIds: responses[0]!.ids })),
    ...common,
  });
  const update = await engine.call('update', {
    groups: groups.map(({ responses }, i) => ({ promptIds: prompts[i]!.ids, responses: rewarded(responses) })),
    loss: {
      algorithm: 'dapo',
      clipLow: 0.2,
      clipHigh: 0.28,
      temperature: SAMPLING.temperature,
      overlong: null,
      tokenMean: 'group',
    },
    ...common,
  });
  const { sha256 } = await engine.call('fingerprint', {});
  return { groups, steps: [sft, update].map(({ seconds: _, ...metrics }) => metrics), weights: sha256 };
}

const rewarded = (responses: GeneratedResponse[]) =>
  responses.map(({ ids, logprobs }, i) => ({ ids, logprobs, reward: i % 2 }));

/** Weights uniform around 0, norms around 1: of whole-number arithmetic alone, so that they are the same everywhere. */
async function writeModel(directory: string): Promise<void> {
  await mkdir(directory);
  const path = join(directory, 'config.json');
  await writeFile(path, JSON.stringify(CONFIG));
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(parseConfig(path, CONFIG))) {
    const { uniform } = randomStream('numerics/weights', name);
    const around = name.endsWith('norm.weight') ? 1 : 0;
    const size = shape.reduce((product, side) => product * side, 1);
    tensors.set(name, { shape, data: Float32Array.from({ length: size }, () => around + (uniform() - 0.5) / 2) });
  }
  await writeSafetensors(join(directory, WEIGHTS_FILE), tensors);
}
