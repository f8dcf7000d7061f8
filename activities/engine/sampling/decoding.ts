/**
 * The decoding graph: a Loop that computes and samples several tokens a run for every response of a batch.
 *
 * Keys and values a response attends to lie in three places: its prompt's, shared by the G responses; its own from
 * earlier runs (the past); its own of this run (the chunk), which grows by one a turn. Values have a column of ones beside
 * them, so that the softmax's denominator is summed by the same matrix product as its numerator, in an order that padding
 * with zeros does not change. An entry that pads has zeros there and so weighs nothing; its key repeats another's, so that
 * no maximum changes either.
 *
 * Shapes: B prompts, G responses each, K key-value heads, R query heads to each, D head size, P prompt length, L past
 * length, C the chunk's length.
 */
import { batchedProduct, constantProduct, rowwiseProduct, truncationInputs } from '../autodiff/index.js';
import { type Dim, Graph, product, type Value } from '../graph/index.js';
import {
  type Attend,
  type DecoderConfig,
  decoderLayers,
  EMBEDDING_WEIGHT,
  expectedTensors,
  finalNorm,
  HEAD_WEIGHT,
  weightInputs,
} from '../model/index.js';
import { type SamplingInputs, type SamplingMode, sample } from './sampling.js';

/** One attended part: keys [.., n, D], values with ones [.., n, D + 1]. */
interface Part {
  keys: Value;
  values: Value;
}

/** The shapes that attention moves between; B and G are known when a run begins. */
interface Layout {
  /** [B, G, K, 1 or R, D]: rows as the projections give them. */
  keys: Value;
  queries: Value;
  /** [B, K, G*R, D or D + 1]: a prompt's rows stacked, so that they share one product with its keys. */
  stacked: Value;
  stackedSums: Value;
  stackedMax: Value;
  /** [B, K, G, R, 1 or D + 1] */
  max: Value;
  sums: Value;
  /** [B*G, K*R*D] */
  rows: Value;
}

function layout(g: Graph, { heads, kvHeads, headDim }: DecoderConfig): Layout {
  const repeats = heads / kvHeads;
  const batch = { ...g.input('batch', 'int64', [1]), data: ['B'] };
  const group = { ...g.input('group', 'int64', [1]), data: ['G'] };
  const groupRows = { ...g.input('group_rows', 'int64', [1]), data: [product(['G', repeats])] };
  const rows = { ...g.input('batch_rows', 'int64', [1]), data: ['B*G'] };
  const shape = (...parts: (Value | number)[]): Value =>
    g.op(
      'Concat',
      parts.map(part => (typeof part === 'number' ? g.ints([part]) : part)),
      { axis: 0 },
    );
  return {
    keys: shape(batch, group, kvHeads, 1, headDim),
    queries: shape(batch, group, kvHeads, repeats, headDim),
    stacked: shape(batch, kvHeads, groupRows, headDim),
    stackedSums: shape(batch, kvHeads, groupRows, headDim + 1),
    stackedMax: shape(batch, kvHeads, groupRows, 1),
    max: shape(batch, kvHeads, group, repeats, 1),
    sums: shape(batch, kvHeads, group, repeats, headDim + 1),
    rows: shape(rows, heads * headDim),
  };
}

/** Sums exp(scores - max) [values, 1] over the parts and divides: softmax attention over their concatenation. */
function attendParts(g: Graph, query: Value, prompt: Part, own: readonly Part[], to: Layout): Value {
  const headDim = query.shape.at(-1) as number;
  const alpha = { float: 1 / Math.sqrt(headDim) };
  const scoresOf = (q: Value, { keys }: Part): Value => batchedProduct(g, q, keys, { transB: 1, alpha });
  const promptScores = scoresOf(g.reshapeTo(query, to.stacked), prompt);
  const ownScores = own.map(part => scoresOf(query, part));
  const max = ownScores
    .map(s => g.max(s, [-1]))
    .reduce((a, b) => g.op('Max', [a, b]), g.reshapeTo(g.max(promptScores, [-1]), to.max));
  const weigh = (scores: Value, top: Value, { values }: Part): Value =>
    batchedProduct(g, g.op('Exp', [g.op('Sub', [scores, top])]), values);
  const fromPrompt = g.reshapeTo(weigh(promptScores, g.reshapeTo(max, to.stackedMax), prompt), to.sums);
  const sums = own.map((part, i) => weigh(ownScores[i]!, max, part)).reduce((a, b) => g.op('Add', [a, b]), fromPrompt);
  return g.op('Div', g.ops('Split', [sums, g.ints([headDim, 1])], { axis: 4 }));
}

export interface DecodingKind {
  mode: SamplingMode;
  /** Without one, a graph serves the first run of a batch only. */
  withPast: boolean;
  /** The weights are the graph's, and not fed. */
  constant: boolean;
}

/**
 * Feeds a run takes besides the weights and rotary tables. Results are `tokens` and `logprobs` [turns, B*G], and the
 * chunk's keys and values by layer, [B, K, G, 1 + turns, D or D + 1], of which the first entry pads: onnxruntime wants no
 * empty tensors.
 */
export function decodingGraph(config: DecoderConfig, { mode, withPast, constant }: DecodingKind): Graph {
  const { kvHeads, headDim, layers } = config;
  const multiply = constant ? constantProduct : rowwiseProduct;
  const g = new Graph(`decoding, ${mode}`);
  const weight = weightInputs(g, expectedTensors(config));
  const table = ['rotary_positions', headDim / 2];
  const [cosine, sine] = [g.input('rotary_cosine', 'float32', table), g.input('rotary_sine', 'float32', table)];

  const startIds = g.input('ids', 'int64', ['B*G']);
  const startPositions = g.input('positions', 'int64', ['B*G', 1]);
  const uniforms = g.input('uniforms', 'float32', ['turns', 'B*G']);
  const stopIds = g.input('stop_ids', 'int64', [1, 'stops']);
  const startDone = g.input('done', 'bool', ['B*G']);
  const turns = g.input('turns', 'int64', []);
  const scalars = {
    inverseTemperature: g.input('inverse_temperature', 'float32', []),
    ...truncationInputs(g),
  };
  const part = (name: string, shape: readonly Dim[]): Part[] =>
    Array.from({ length: layers }, (_, layer) => ({
      keys: g.input(`${name}_keys ${layer}`, 'float32', [...shape, headDim]),
      values: g.input(`${name}_values ${layer}`, 'float32', [...shape, headDim + 1]),
    }));
  const prompts = part('prompt', ['B', kvHeads, 'P']);
  const pasts = withPast ? part('past', ['B', kvHeads, 'G', 'L']) : [];
  const paddingKeys = prompts.map((_, layer) =>
    g.input(`padding_keys ${layer}`, 'float32', ['B', kvHeads, 'G', 'C', headDim]),
  );
  const paddingValues = g.input('padding_values', 'float32', ['B', kvHeads, 'G', 'C', headDim + 1]);
  const ones = g.input('ones', 'float32', ['B', kvHeads, 'G', 1, 1]);
  const to = layout(g, config);
  const embedding = weight(EMBEDDING_WEIGHT);
  const head = weight(HEAD_WEIGHT(config));
  const start = [...paddingKeys, ...paddingKeys.map(() => paddingValues)];

  const loop = g.loop(turns, 'turns', [startIds, startDone, ...start], (b, turn, carried) => {
    const [ids, done, ...chunks] = carried as [Value, Value, ...Value[]];
    const grown = (chunk: Value, entry: Value): Value => ({
      ...b.op('Concat', [chunk, entry], { axis: 3 }),
      shape: chunk.shape,
    });
    const next: Value[] = [...chunks];
    const positions = b.op('Add', [startPositions, turn]);
    const x = b.op('Gather', [embedding, ids], { axis: 0 });
    const attend: Attend = (layer, q, k, v) => {
      const heads = (y: Value, shape: Value): Value =>
        b.op('Transpose', [b.reshapeTo(y, shape)], { perm: [0, 2, 1, 3, 4] });
      const query = heads(q, to.queries);
      const keys = grown(chunks[layer]!, heads(k, to.keys));
      const value = b.op('Concat', [heads(v, to.keys), ones], { axis: 4 });
      const values = grown(chunks[layers + layer]!, value);
      next[layer] = keys;
      next[layers + layer] = values;
      const own = [...(withPast ? [pasts[layer]!] : []), { keys, values }];
      const mixed = attendParts(b, query, prompts[layer]!, own, to);
      return b.reshapeTo(b.op('Transpose', [mixed], { perm: [0, 2, 1, 3, 4] }), to.rows);
    };
    const rotary = { positions, cosine, sine };
    const last = decoderLayers(b, config, layers, weight, x, rotary, attend, { multiply });
    const hidden = finalNorm(b, config, weight, last);
    const logits = multiply(b, hidden, head);
    const inputs: SamplingInputs = { ...scalars, uniform: b.op('Gather', [uniforms, turn], { axis: 0 }) };
    const { tokens, logprobs } = sample(b, mode, logits, inputs);
    const stopped = b.max(b.op('Cast', [b.op('Equal', [b.reshape(tokens, ['B*G', 1]), stopIds])], { to: 1 }), [1]);
    const nowDone = b.op('Or', [done, b.op('Greater', [b.reshape(stopped, ['B*G']), b.scalar(0)])]);
    const running = b.op('Cast', [b.op('Not', [nowDone])], { to: 1 });
    const keep = b.op('Greater', [b.op('ReduceMax', [running, b.ints([0])], { keepdims: 0 }), b.scalar(0)]);
    return { carried: [tokens, nowDone, ...next], collected: [tokens, logprobs], keep };
  });
  const [, , ...chunks] = loop.carried;
  const [tokens, logprobs] = loop.collected;
  g.output('tokens', tokens!);
  g.output('logprobs', logprobs!);
  for (let layer = 0; layer < layers; layer++) {
    g.output(`chunk_keys ${layer}`, chunks[layer]!);
    g.output(`chunk_values ${layer}`, chunks[layers + layer]!);
  }
  return g;
}
