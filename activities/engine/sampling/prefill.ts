/** The prompts' pass: keys and values of every layer, computed once and shared by all responses of a prompt. */
import { packedAttention } from '../autodiff/index.js';
import type { Tensors } from '../files/index.js';
import {
  type CompiledGraph,
  type Feeds,
  floatData,
  floats,
  Graph,
  GraphCache,
  integers,
  type SessionSettings,
  type Value,
  weightFeeds,
} from '../graph/index.js';
import {
  activationBytes,
  aloneInTiles,
  type DecoderConfig,
  decoderLayers,
  EMBEDDING_WEIGHT,
  embed,
  expectedTensors,
  filledUp,
  planTiles,
  type RotaryTable,
  rotaryInputs,
  type StreamSegment,
  tileOf,
  weightInputs,
} from '../model/index.js';

/** One layer's keys [kvHeads, rows, headDim] and values [kvHeads, rows, headDim + 1], these with ones beside them. */
export interface LayerCache {
  keys: Float32Array;
  values: Float32Array;
}

/** One prompt's rows among those computed together. */
export interface PrefillResult {
  layers: readonly LayerCache[];
  rows: number;
  first: number;
  tokens: number;
}

/** One a tile size. */
const PREFILL_GRAPHS = 3;

/** Rows at once: more are no faster. */
const TOGETHER = 4096;
/** Of the memory for activations: what a layer may take. */
const LARGE_SHARE = 1 / 8;
/** Attention goes by whole tiles; all else by so many rows more than the prompts have at most. */
const ROW_STEP = 16;
/** Products sum in another order for 64 rows or fewer (product.ts). */
const LEAST_ROWS = 128;

export class Prefill {
  private readonly graphs: GraphCache;
  /** Tokens that take no more than a layer's share of the memory. */
  private readonly most: number;
  /** Tokens of the largest set since graphs were let go. */
  private largest = 0;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    settings: SessionSettings,
  ) {
    const { memory = Number.POSITIVE_INFINITY } = settings;
    this.most = (memory * LARGE_SHARE) / activationBytes(config, 1, 1);
    this.graphs = new GraphCache(PREFILL_GRAPHS, settings);
  }

  /**
   * Which prompts go together, where memory allows: those with tiles of one size. Its own length decides a prompt's, so that
   * on the processor its numbers do not depend on its company.
   *
   * @param lengths tokens of each, 1 at least
   * @returns indices
   */
  together(lengths: readonly number[]): number[][] {
    const limit = Math.min(TOGETHER, this.most);
    const sets: { tile: number; tokens: number; indices: number[] }[] = [];
    for (const [index, tokens] of lengths.entries()) {
      const tile = tileOf(tokens);
      const open = sets.find(set => set.tile === tile && set.tokens + tokens <= limit);
      if (open) {
        open.tokens += tokens;
        open.indices.push(index);
      } else sets.push({ tile, tokens, indices: [index] });
    }
    return sets.map(({ indices }) => indices);
  }

  /**
   * @param prompts of one set of `together`: each one's tokens but its last, which is the first one decoded; not empty
   * @returns one each
   */
  async run(weights: Tensors, prompts: readonly (readonly number[])[]): Promise<PrefillResult[]> {
    const { kvHeads, hiddenSize } = this.config;
    const lengths = prompts.map(ids => ids.length);
    const tokens = lengths.reduce((a, b) => a + b, 0);
    const rows = Math.max(LEAST_ROWS, Math.ceil(tokens / ROW_STEP) * ROW_STEP);
    const tile = tileOf(lengths[0]!);
    const graph = await this.graph(tile);
    const ids = new Int32Array(rows);
    ids.set(prompts.flat());
    const outputs = await graph.run({
      ...weightFeeds(weights),
      ...streamFeeds(lengths, tile, rows),
      ...this.rotary.feeds(lengths.reduce((a, b) => Math.max(a, b))),
      ones: floats(new Float32Array(kvHeads * rows).fill(1), [kvHeads, rows, 1]),
      x: embed(ids, weights.get(EMBEDDING_WEIGHT)!.data, hiddenSize),
    });
    const layers = Array.from({ length: this.config.layers }, (_, layer) => ({
      keys: floatData(outputs, `keys ${layer}`),
      values: floatData(outputs, `values ${layer}`),
    }));
    this.largest = Math.max(this.largest, tokens);
    return startsOf(lengths).map((first, i) => ({ layers, rows, first, tokens: lengths[i]! }));
  }

  /** Behind the last set. A session holds on to the most memory it ever needed: where that is much, making another costs less. */
  async settle(): Promise<void> {
    if (this.largest > this.most) await this.release();
  }

  async release(): Promise<void> {
    this.largest = 0;
    await this.graphs.release();
  }

  private graph(tile: number): Promise<CompiledGraph> {
    return this.graphs.get(String(tile), () => this.build(tile));
  }

  /** Nothing but keys and values is asked for, so the last layer's attention and the head are never computed. */
  private build(tile: number): Graph {
    const { config } = this;
    const g = new Graph(`prefill at tile ${tile}`);
    const weight = weightInputs(g, expectedTensors(config));
    const attend = packedAttention(g, config, tile);
    const x = g.input('x', 'float32', ['rows', config.hiddenSize]);
    const [filling, real] = [g.input('filling_rows', 'int64', ['T']), g.input('real_rows', 'int64', ['rows'])];
    const ones = g.input('ones', 'float32', [config.kvHeads, 'rows', 1]);
    const byHead = (y: Value): Value =>
      g.op('Transpose', [g.reshape(y, ['rows', config.kvHeads, config.headDim])], { perm: [1, 0, 2] });
    const filled = (y: Value): Value => g.op('Gather', [y, filling], { axis: 0 });
    decoderLayers(g, config, config.layers, weight, x, rotaryInputs(g, config, 'rows'), (layer, q, k, v) => {
      g.output(`keys ${layer}`, byHead(k));
      g.output(`values ${layer}`, g.op('Concat', [byHead(v), ones], { axis: 2 }));
      return g.op('Gather', [attend(layer, filled(q), filled(k), filled(v)), real], { axis: 0 });
    });
    return g;
  }
}

/** Where each begins that follows those before it. */
const startsOf = (lengths: readonly number[]): number[] => {
  let next = 0;
  return lengths.map(length => {
    next += length;
    return next - length;
  });
};

/**
 * The plan of attention's stream, in which each prompt begins with a tile and its last row fills up its last tile; and which
 * of the rows, that stand without gaps, go where in it.
 */
function streamFeeds(lengths: readonly number[], tile: number, rows: number): Feeds {
  const filled = lengths.map(length => filledUp(length, tile));
  const [starts, begins] = [startsOf(lengths), startsOf(filled)];
  const segments: StreamSegment[] = [];
  const filling: number[] = [];
  // Rows behind the last prompt's are nobody's: they may be anything.
  const real = new Array<number>(rows).fill(0);
  const positions = new Array<number>(rows).fill(0);
  lengths.forEach((length, p) => {
    const [start, begin] = [starts[p]!, begins[p]!];
    segments.push(...aloneInTiles(length, tile, begin));
    for (let i = 0; i < filled[p]!; i++) filling.push(start + Math.min(i, length - 1));
    for (let i = 0; i < length; i++) {
      real[start + i] = begin + i;
      positions[start + i] = i;
    }
  });
  return {
    ...planTiles({ segments, length: filling.length, tile }, ['query']),
    real_rows: integers(real, [rows]),
    filling_rows: integers(filling, [filling.length]),
    positions: integers(positions, [rows, 1]),
  };
}
