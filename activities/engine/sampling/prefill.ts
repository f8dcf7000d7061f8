/** The prompt's pass: keys and values of every layer, computed once and shared by all its responses. */
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
  type DecoderConfig,
  decoderLayers,
  EMBEDDING_WEIGHT,
  embed,
  expectedTensors,
  pack,
  type RotaryTable,
  rotaryInputs,
  weightInputs,
} from '../model/index.js';

/** One layer's keys [kvHeads, rows, headDim] and values [kvHeads, rows, headDim + 1], these with ones beside them. */
export interface LayerCache {
  keys: Float32Array;
  values: Float32Array;
}

export interface PrefillResult {
  layers: LayerCache[];
  tokens: number;
  /** At least `tokens`: what is behind them says nothing. */
  rows: number;
}

/** One a tile size. */
const PREFILL_GRAPHS = 3;

/** Attention goes by whole tiles; all else by so many rows more than the prompt has at most. */
const ROW_STEP = 16;
/** Products sum in another order for 64 rows or fewer (product.ts). */
const LEAST_ROWS = 128;

export class Prefill {
  private readonly graphs: GraphCache;

  constructor(
    private readonly config: DecoderConfig,
    private readonly rotary: RotaryTable,
    settings: SessionSettings,
  ) {
    this.graphs = new GraphCache(PREFILL_GRAPHS, settings);
  }

  /**
   * Each prompt goes alone, from the start of a tile, so that its numbers do not depend on its company.
   *
   * @param ids the prompt's tokens but its last, which is the first one decoded; not empty
   */
  async run(weights: Tensors, ids: readonly number[]): Promise<PrefillResult> {
    const { kvHeads } = this.config;
    // As a response that continues the first token: the stream is then the prompt itself.
    const batch = pack([{ promptIds: [ids[0]!], responses: [[...ids.slice(1), 0]], offsets: [0] }], ['query']);
    const rows = Math.min(batch.length, Math.max(LEAST_ROWS, Math.ceil(ids.length / ROW_STEP) * ROW_STEP));
    const graph = await this.graph(batch.tile);
    const outputs = await graph.run({
      ...weightFeeds(weights),
      ...batch.feeds,
      ...this.rotary.feeds(rows),
      ...rowFeeds(rows, batch.length),
      ones: floats(new Float32Array(kvHeads * rows).fill(1), [kvHeads, rows, 1]),
      x: embed(batch.ids.subarray(0, rows), weights.get(EMBEDDING_WEIGHT)!.data, this.config.hiddenSize),
    });
    const layers = Array.from({ length: this.config.layers }, (_, layer) => ({
      keys: floatData(outputs, `keys ${layer}`),
      values: floatData(outputs, `values ${layer}`),
    }));
    return { layers, tokens: ids.length, rows };
  }

  release(): Promise<void> {
    return this.graphs.release();
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

/** The rows that are computed, and how the last of them fills up the stream of `length`, which is whole tiles. */
function rowFeeds(rows: number, length: number): Feeds {
  const real = Array.from({ length: rows }, (_, row) => row);
  return {
    real_rows: integers(real, [rows]),
    filling_rows: integers([...real, ...new Array<number>(length - rows).fill(rows - 1)], [length]),
    positions: integers(real, [rows, 1]),
  };
}
