/**
 * Forward and backward over a packed batch: runs the training and scoring graphs pass by pass and sums the gradients. What
 * a pass holds is decided by packing.ts, what is minimised by losses.ts, how far the model is cut up by segments.ts.
 */
import type * as ort from 'onnxruntime-node';
import { truncationFeeds } from '../autodiff/index.js';
import type { Tensor, Tensors } from '../files/index.js';
import { type Feeds, floatData, floatScalar, GraphCache, type SessionSettings, weightFeeds } from '../graph/index.js';
import {
  type Adapter,
  adapterOfLayers,
  cutSegments,
  type DecoderConfig,
  EMBEDDING_WEIGHT,
  embed,
  embeddingGradient,
  expectedTensors,
  type GroupPart,
  layerSettings,
  loraScale,
  type PackedBatch,
  type PromptGroup,
  pack,
  type RotaryTable,
  type Segment,
  shiftLayer,
  splitPasses,
} from '../model/index.js';
import type { TruncationSettings } from '../protocol/index.js';
import { HeadBlocks, rowsPerBlock } from './head.js';
import { type Objective, TOKEN_LOSSES, type TokenLoss } from './losses.js';
import { type GraphKind, gradientName, gradientOf, TrainingGraphs } from './training-graphs.js';

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

export interface PassOptions {
  temperature: number;
  /** Log-probabilities and entropies are among the tokens that this keeps. Absent or null: among all. */
  truncation?: TruncationSettings | null;
  /** Bound on the tokens of one pass. */
  microBatchTokens: number;
  checkpoint: Checkpoint;
  /** Trained over the weights, which then stay as they are. */
  adapter?: Adapter | null;
}

/** Weights, and what is trained over them if it is not the weights themselves. */
interface Model {
  weights: Tensors;
  adapter: Adapter | null;
}

/** Called between runs with the number done and in all; throws to end the work there. */
export type Checkpoint = (done: number, total: number) => Promise<void>;

/** One objective's graphs at two tile sizes: a batch's last pass is often a short one. */
const TRAINING_GRAPHS = 2;

/** A pass laid out, with what its graphs are fed: all of them of the stream, those with a head of its rows. */
interface Pass {
  batch: PackedBatch;
  blocks: HeadBlocks;
  stream: Feeds;
  head: Feeds;
}

export class Trainer {
  private readonly trainingGraphs: TrainingGraphs;
  private readonly graphs: GraphCache;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    private readonly settings: SessionSettings,
  ) {
    this.trainingGraphs = new TrainingGraphs(config);
    this.graphs = new GraphCache(TRAINING_GRAPHS, settings);
  }

  /** Log-probability and entropy of every response token. */
  async score(weights: Tensors, groups: readonly PromptGroup[], options: PassOptions): Promise<TokenResults> {
    const model = { weights, adapter: options.adapter ?? null };
    const results = emptyResults(groups);
    const passes = splitPasses(groups, options.microBatchTokens);
    const whole = { first: 0, count: this.config.layers };
    for (const [done, parts] of passes.entries()) {
      await options.checkpoint(done, passes.length);
      const pass = this.layOut(parts, ['query'], options);
      const outputs = await this.run('score', whole, model, pass, { ...pass.head, x: this.embedded(pass, weights) });
      collect(results, pass.batch, outputs);
    }
    await options.checkpoint(passes.length, passes.length);
    return results;
  }

  /**
   * The gradient of the objective over the whole batch, summed over passes in order.
   *
   * @returns gradients of what is trained, under its names and in its order, and what the forward pass saw of every token
   */
  async gradient(
    objective: Objective,
    weights: Tensors,
    groups: readonly PromptGroup[],
    fed: ObjectiveFeeds,
    options: PassOptions,
  ): Promise<TokenResults & { gradients: Tensors }> {
    const model = { weights, adapter: options.adapter ?? null };
    const results = emptyResults(groups);
    const gradients: Tensors = new Map();
    const passes = splitPasses(groups, options.microBatchTokens);
    for (const [done, parts] of passes.entries()) {
      const pass = this.layOut(parts, ['query', 'key'], options);
      Object.assign(pass.head, lossFeeds(objective, pass, fed));
      const checkpoint = (share: number): Promise<void> => options.checkpoint(done + share, passes.length);
      const outputs = await this.backward(objective, model, pass, gradients, checkpoint);
      collect(results, pass.batch, outputs);
    }
    await options.checkpoint(passes.length, passes.length);
    const trained = model.adapter?.tensors ?? weights;
    return { ...results, gradients: new Map([...trained.keys()].map(name => [name, gradients.get(name)!])) };
  }

  release(): Promise<void> {
    return this.graphs.release();
  }

  /** Up through the segments, over the last, and down again. Adds to the gradients; gives back what the last one gave. */
  private async backward(
    objective: Objective,
    model: Model,
    pass: Pass,
    gradients: Tensors,
    checkpoint: (share: number) => Promise<void>,
  ): Promise<Feeds> {
    const segments = cutSegments(this.config, pass.batch.ids.length, this.settings.memory ?? Number.POSITIVE_INFINITY);
    const lower = segments.slice(0, -1);
    const runs = 2 * segments.length - 1;
    let run = 0;
    const through = async (kind: GraphKind, segment: Segment, feeds: Feeds): Promise<Feeds> => {
      await checkpoint(run++ / runs);
      // Where memory is short, the graph at work is the only one that holds any.
      const outputs = await this.run(kind, segment, model, pass, feeds, lower.length > 0);
      for (const [name, tensor] of Object.entries(outputs)) {
        const local = gradientOf(name);
        if (local !== null && local !== 'x') addGradient(gradients, shiftLayer(local, segment.first), tensor);
      }
      return outputs;
    };

    const inputs = [this.embedded(pass, model.weights)];
    for (const segment of lower) inputs.push((await through('forward', segment, { x: inputs.at(-1)! })).y!);
    const results = await through(objective, segments.at(-1)!, { ...pass.head, x: inputs.pop()! });
    let gradient = results[gradientName('x')];
    for (const segment of lower.reverse()) {
      const outputs = await through('backward', segment, { x: inputs.pop()!, [gradientName('y')]: gradient! });
      gradient = outputs[gradientName('x')];
    }
    if (model.adapter) return results;
    const { shape } = model.weights.get(EMBEDDING_WEIGHT)!;
    const table = gradients.get(EMBEDDING_WEIGHT) ?? zeros(shape);
    embeddingGradient(pass.batch.ids, gradient!.data as Float32Array, table.data, this.config.hiddenSize);
    gradients.set(EMBEDDING_WEIGHT, table);
    return results;
  }

  /** Runs the graph of this kind over a stretch of layers, fed their tensors under the names of the first ones. */
  private async run(
    kind: GraphKind,
    { first, count }: Segment,
    { weights, adapter }: Model,
    { batch, stream }: Pass,
    given: Feeds,
    alone = false,
  ): Promise<Feeds> {
    const { tile } = batch;
    const own = adapter && adapterOfLayers(adapter, first, count);
    const truncated = 'top_p' in given;
    const graph = await this.graphs.get(
      `${kind}/${tile}/${count}/${own ? adapterKey(own) : 'whole'}${truncated ? '/truncated' : ''}`,
      () => this.trainingGraphs.build(kind, tile, count, own, truncated),
      alone ? { limit: 1 } : {},
    );
    const weightsHere = [...expectedTensors({ ...this.config, layers: count }).keys()].map(
      name => [name, weights.get(shiftLayer(name, first))!] as const,
    );
    return graph.run({ ...weightFeeds(new Map([...weightsHere, ...(own?.tensors ?? [])])), ...stream, ...given });
  }

  private layOut(
    parts: readonly GroupPart[],
    directions: readonly ('query' | 'key')[],
    { temperature, truncation }: PassOptions,
  ): Pass {
    const batch = pack(parts, directions);
    const blocks = new HeadBlocks(batch.rows, rowsPerBlock(this.config.vocabularySize));
    const kept = truncation && truncationFeeds(truncation, this.config.vocabularySize);
    return {
      batch,
      blocks,
      stream: { ...batch.feeds, ...this.rotary.feeds(batch.positions) },
      head: { ...blocks.feeds(batch.targets), inverse_temperature: floatScalar(1 / temperature), ...kept },
    };
  }

  private embedded({ batch }: Pass, weights: Tensors): ort.Tensor {
    return embed(batch.ids, weights.get(EMBEDDING_WEIGHT)!.data, this.config.hiddenSize);
  }
}

/** Adapters of one key have the same graphs. */
function adapterKey(adapter: Adapter): string {
  const parts = adapter.modules.map(module => [
    module,
    layerSettings(adapter, module).rank,
    loraScale(adapter, module),
  ]);
  return parts.join();
}

function lossFeeds(objective: Objective, { batch, blocks }: Pass, { perToken, scalars }: ObjectiveFeeds): Feeds {
  const loss: TokenLoss = TOKEN_LOSSES[objective];
  const rows = (values: Float32Array): Float32Array => Float32Array.from(batch.tokenIndex, t => values[t]!);
  return Object.fromEntries([
    ...loss.perToken.map(name => [name, blocks.floats(rows(perToken[name]!))] as const),
    ...loss.scalars.map(name => [name, floatScalar(scalars[name]!)] as const),
  ]);
}

const zeros = (shape: readonly number[]): Tensor => ({
  shape: [...shape],
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

function emptyResults(groups: readonly PromptGroup[]): TokenResults {
  const tokens = groups.reduce((sum, group) => sum + group.responses.reduce((n, r) => n + r.length, 0), 0);
  return { logprobs: new Float32Array(tokens), entropies: new Float32Array(tokens) };
}

function collect(results: TokenResults, batch: PackedBatch, outputs: Feeds): void {
  const logprobs = floatData(outputs, 'logprobs');
  const entropies = floatData(outputs, 'entropies');
  batch.tokenIndex.forEach((token, row) => {
    results.logprobs[token] = logprobs[row]!;
    results.entropies[token] = entropies[row]!;
  });
}

/** The first pass's gradient is the sum so far. */
function addGradient(sums: Tensors, name: string, part: ort.Tensor): void {
  const data = part.data as Float32Array;
  const sum = sums.get(name)?.data;
  if (!sum) sums.set(name, { shape: [...part.dims], data });
  else for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
}
