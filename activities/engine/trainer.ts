/**
 * Forward and backward over a packed batch: builds the training and scoring graphs, runs them pass by pass and sums the
 * gradients. What a pass holds is decided by packing.ts; what is minimised by losses.ts.
 */
import type * as ort from 'onnxruntime-node';
import { packedAttention } from './attention.js';
import { type DecoderConfig, expectedTensors } from './config.js';
import { decoder, EMBEDDING_WEIGHT, HEAD_WEIGHT, rotaryInputs, type Weight, weightInputs } from './decoder.js';
import { gradients } from './graph/gradients.js';
import { Graph, type Value } from './graph/graph.js';
import { tokenLogprobs } from './logprobs.js';
import { likelihoodLoss, policyLoss } from './losses.js';
import { embed, embeddingGradient, type PackedBatch, type PromptGroup, pack, splitPasses } from './packing.js';
import type { RotaryTable } from './rotary.js';
import type { Tensors } from './safetensors.js';
import {
  type CompiledGraph,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  GraphCache,
  type SessionSettings,
  weightFeeds,
} from './session.js';

/** What a training graph minimises, and what it is fed a number a token for it. */
const OBJECTIVES = {
  likelihood: {
    perToken: ['weights'],
    loss: (g: Graph, logprobs: Value, input: (name: string) => Value) => likelihoodLoss(g, logprobs, input('weights')),
  },
  policy: {
    perToken: ['weights', 'sampled', 'advantages'],
    loss: (g: Graph, logprobs: Value, input: (name: string) => Value) =>
      policyLoss(g, logprobs, {
        sampled: input('sampled'),
        advantages: input('advantages'),
        weights: input('weights'),
        ratioLow: g.input('ratio_low', 'float32', []),
        ratioHigh: g.input('ratio_high', 'float32', []),
      }),
  },
} as const;

export type Objective = keyof typeof OBJECTIVES;

/** What the objective is fed: arrays over the whole batch's response tokens, and scalars. */
export interface ObjectiveFeeds {
  perToken: Record<string, Float32Array>;
  scalars: Record<string, number>;
}

/** Of every response token of the batch, in its order. */
export interface TokenResults {
  logprobs: Float32Array;
  entropies: Float32Array;
}

const gradientName = (weight: string): string => `gradient of ${weight}`;

/** One objective's graphs at two tile sizes: a batch's last pass is often a short one. */
const TRAINING_GRAPHS = 2;

export class Trainer {
  private readonly shapes: Map<string, number[]>;
  private readonly graphs: GraphCache;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    settings: SessionSettings,
  ) {
    this.graphs = new GraphCache(TRAINING_GRAPHS, settings);
    this.shapes = expectedTensors(config);
  }

  /** Log-probability and entropy of every response token. `checkpoint` is called between passes and may throw to end the work. */
  async score(
    weights: Tensors,
    groups: readonly PromptGroup[],
    options: { temperature: number; microBatchTokens: number; checkpoint: Checkpoint },
  ): Promise<TokenResults> {
    const results = emptyResults(groups);
    const passes = splitPasses(groups, options.microBatchTokens);
    for (const [done, parts] of passes.entries()) {
      await options.checkpoint(done, passes.length);
      const batch = pack(parts, ['query']);
      const graph = await this.graph('score', batch.tile);
      const outputs = await graph.run(this.feeds(batch, weights, options.temperature));
      collect(results, batch, outputs);
    }
    await options.checkpoint(passes.length, passes.length);
    return results;
  }

  /**
   * The gradient of the objective over the whole batch, summed over passes in order.
   *
   * @returns gradients under the weights' names, and what the forward pass saw of every token
   */
  async gradient(
    objective: Objective,
    weights: Tensors,
    groups: readonly PromptGroup[],
    fed: ObjectiveFeeds,
    options: { temperature: number; microBatchTokens: number; checkpoint: Checkpoint },
  ): Promise<TokenResults & { gradients: Tensors }> {
    const results = emptyResults(groups);
    const sums: Tensors = new Map();
    for (const [name, shape] of this.shapes)
      sums.set(name, { shape, data: new Float32Array(weights.get(name)!.data.length) });
    const passes = splitPasses(groups, options.microBatchTokens);
    for (const [done, parts] of passes.entries()) {
      await options.checkpoint(done, passes.length);
      const batch = pack(parts, ['query', 'key']);
      const graph = await this.graph(objective, batch.tile);
      const perToken = OBJECTIVES[objective].perToken.map(name => {
        const rows = Float32Array.from(batch.tokenIndex, t => fed.perToken[name]![t]!);
        return [name, floats(rows, [rows.length])] as const;
      });
      const scalars = Object.entries(fed.scalars).map(([name, value]) => [name, floatScalar(value)] as const);
      const outputs = await graph.run({
        ...this.feeds(batch, weights, options.temperature),
        ...Object.fromEntries([...perToken, ...scalars]),
      });
      collect(results, batch, outputs);
      for (const [name, { data }] of sums) {
        const part = outputs[gradientName(name)];
        if (part) addInto(data, part.data as Float32Array);
      }
      embeddingGradient(
        batch.ids,
        floatData(outputs, 'gradient of x'),
        sums.get(EMBEDDING_WEIGHT)!.data,
        this.config.hiddenSize,
      );
    }
    await options.checkpoint(passes.length, passes.length);
    return { ...results, gradients: sums };
  }

  release(): Promise<void> {
    return this.graphs.release();
  }

  private feeds(batch: PackedBatch, weights: Tensors, temperature: number): Feeds {
    return {
      ...weightFeeds(weights),
      ...batch.feeds,
      ...batch.predictions,
      ...this.rotary.feeds(batch.positions),
      x: embed(batch.ids, weights.get(EMBEDDING_WEIGHT)!.data, this.config.hiddenSize),
      inverse_temperature: floatScalar(1 / temperature),
    };
  }

  private graph(kind: Objective | 'score', tile: number): Promise<CompiledGraph> {
    return this.graphs.get(`${kind}/${tile}`, () => this.build(kind, tile));
  }

  private build(kind: Objective | 'score', tile: number): Graph {
    const { config } = this;
    const g = new Graph(`${kind} at tile ${tile}`);
    const x = g.input('x', 'float32', ['T', config.hiddenSize]);
    const weight = weightInputs(g, this.shapes);
    const hidden = decoder(g, config, weight, x, rotaryInputs(g, config, 'T'), packedAttention(g, config, tile));
    const chosen = g.op('Gather', [hidden, g.input('rows', 'int64', ['rows'])], { axis: 0 });
    const targets = g.input('targets', 'int64', ['rows']);
    const inverseTemperature = g.input('inverse_temperature', 'float32', []);
    const { logprobs, entropies } = tokenLogprobs(g, chosen, weight(HEAD_WEIGHT(config)), targets, inverseTemperature);
    g.output('logprobs', logprobs);
    g.output('entropies', entropies);
    if (kind !== 'score') {
      const loss = OBJECTIVES[kind].loss(g, logprobs, name => g.input(name, 'float32', ['rows']));
      this.outputGradients(g, loss, x, weight);
    }
    return g;
  }

  /** The embedding table itself is looked up outside the graph; only as a tied head has it a gradient here. */
  private outputGradients(g: Graph, loss: Value, x: Value, weight: Weight): void {
    const names = [...this.shapes.keys()].filter(name => name !== EMBEDDING_WEIGHT || this.config.tiedEmbeddings);
    const [gradX, ...gradWeights] = gradients(g, loss, [x, ...names.map(weight)]);
    g.output('gradient of x', gradX!);
    names.forEach((name, i) => {
      g.output(gradientName(name), gradWeights[i]!);
    });
  }
}

/** Called before each pass and after the last with the number done and in all; throws to end the work there. */
export type Checkpoint = (done: number, total: number) => Promise<void>;

function emptyResults(groups: readonly PromptGroup[]): TokenResults {
  const tokens = groups.reduce((sum, group) => sum + group.responses.reduce((n, r) => n + r.length, 0), 0);
  return { logprobs: new Float32Array(tokens), entropies: new Float32Array(tokens) };
}

function collect(results: TokenResults, batch: PackedBatch, outputs: Record<string, ort.Tensor>): void {
  const logprobs = floatData(outputs, 'logprobs');
  const entropies = floatData(outputs, 'entropies');
  batch.tokenIndex.forEach((token, row) => {
    results.logprobs[token] = logprobs[row]!;
    results.entropies[token] = entropies[row]!;
  });
}

function addInto(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
}
