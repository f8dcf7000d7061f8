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
  alone,
  attentionFeeds,
  type DecoderConfig,
  decoderLayers,
  EMBEDDING_WEIGHT,
  embed,
  expectedTensors,
  placeRows,
  type RotaryTable,
  rotaryInputs,
  rowsOf,
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
/** Each prompt begins with a tile, so that its sums do not go by what is before it. */
const ALIGNED = 1;

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
    const rows = rowsOf(tokens);
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
    const x = g.input('x', 'float32', ['T', config.hiddenSize]);
    const ones = g.input('ones', 'float32', [config.kvHeads, 'T', 1]);
    const byHead = (y: Value): Value =>
      g.op('Transpose', [g.reshape(y, ['T', config.kvHeads, config.headDim])], { perm: [1, 0, 2] });
    decoderLayers(g, config, config.layers, weight, x, rotaryInputs(g, config, 'T'), (layer, q, k, v) => {
      g.output(`keys ${layer}`, byHead(k));
      g.output(`values ${layer}`, g.op('Concat', [byHead(v), ones], { axis: 2 }));
      return attend(layer, q, k, v);
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

/** Which of the rows stand where in attention's stream, and their positions, each prompt's from 0. */
function streamFeeds(lengths: readonly number[], tile: number, rows: number): Feeds {
  const segments = startsOf(lengths).map((start, p) => alone(start, start + lengths[p]!));
  const positions = new Array<number>(rows).fill(0);
  for (const { start, end } of segments) for (let row = start; row < end; row++) positions[row] = row - start;
  return {
    ...attentionFeeds(placeRows(segments, rows, tile, ALIGNED), ['query']),
    positions: integers(positions, [rows, 1]),
  };
}
