/**
 * The decoding graph: a Loop that computes and samples up to CHUNK tokens a run for every response of a batch.
 *
 * Keys and values a response attends to lie in three places: its prompt's, shared by the G responses; its own from
 * earlier runs (the past); its own of this run (the chunk), carried from turn to turn. Values have a column of ones beside
 * them, so that the softmax's denominator is summed by the same matrix product as its numerator, in an order that padding
 * with zeros does not change.
 *
 * Shapes: B prompts, G responses each, K key-value heads, R query heads to each, D head size, P prompt length, L past
 * length, C chunk.
 */
import { type DecoderConfig, expectedTensors } from './config.js';
import { decoderLayers, EMBEDDING_WEIGHT, finalNorm, HEAD_WEIGHT, weightInputs } from './decoder.js';
import { Graph, type Value } from './graph/graph.js';
import { type SamplingInputs, type SamplingMode, sample } from './sampling.js';

/** Tokens a run: responses that have ended leave the batch between runs. */
export const CHUNK = 32;

/** Heads over this many words are multiplied from the left: onnxruntime repacks the right operand at every call. */
const LARGE_HEAD = 8192;

/** One attended part: keys [.., n, D], values with ones [.., n, D + 1], and 0 or -Infinity to add to its scores. */
interface Part {
  keys: Value;
  values: Value;
  bias: Value;
}

/** Sums exp(scores - max) [values, 1] over the parts and divides: softmax attention over their concatenation. */
function attendParts(g: Graph, query: Value, prompt: Part, own: readonly Part[], group: number): Value {
  const [, kvHeads, , repeats, headDim] = query.shape as [number | string, number, number, number, number];
  const rows = group * repeats;
  // A product with a single row sums in another order than one with several: a lone row is computed beside its copy, so
  // that a response does not depend on the size of its group.
  const pair = (x: Value): Value => (rows === 1 ? g.op('Concat', [x, x], { axis: 2 }) : x);
  const unpair = (x: Value): Value => (rows === 1 ? g.op('Slice', [x, g.ints([0]), g.ints([1]), g.ints([2])]) : x);
  const stacked = pair(g.reshape(query, [-1, kvHeads, rows, headDim]));
  const scoresOf = (q: Value, { keys, bias }: Part): Value =>
    g.op('Add', [g.op('FusedMatMul', [q, keys], { transA: 0, transB: 1 }), bias]);
  const unstack = (x: Value): Value => g.reshape(unpair(x), [-1, kvHeads, group, repeats, x.shape.at(-1)!]);
  const stack = (x: Value): Value => pair(g.reshape(x, [-1, kvHeads, rows, x.shape.at(-1)!]));

  const promptScores = scoresOf(stacked, prompt);
  const ownScores = own.map(part => scoresOf(query, part));
  const max = ownScores
    .map(s => g.max(s, [-1]))
    .reduce((a, b) => g.op('Max', [a, b]), unstack(g.max(promptScores, [-1])));
  const weigh = (scores: Value, top: Value, { values }: Part): Value =>
    g.op('MatMul', [g.op('Exp', [g.op('Sub', [scores, top])]), values]);
  const fromPrompt = unstack(weigh(promptScores, stack(max), prompt));
  const sums = own.map((part, i) => weigh(ownScores[i]!, max, part)).reduce((a, b) => g.op('Add', [a, b]), fromPrompt);
  const slice = (from: number, to: number): Value => g.op('Slice', [sums, g.ints([from]), g.ints([to]), g.ints([4])]);
  return g.op('Div', [slice(0, headDim), slice(headDim, headDim + 1)]);
}

/** Feeds a run takes besides the weights and rotary tables; results are `tokens` and `logprobs` [turns, B*G] and the chunk's caches. */
export function decodingGraph(config: DecoderConfig, mode: SamplingMode, group: number): Graph {
  const { kvHeads, headDim, layers } = config;
  const repeats = config.heads / kvHeads;
  const rows = `${group}*B`;
  const g = new Graph(`decoding, ${mode}, group of ${group}`);
  const weight = weightInputs(g, expectedTensors(config));
  const table = ['rotary_positions', headDim / 2];
  const [cosine, sine] = [g.input('rotary_cosine', 'float32', table), g.input('rotary_sine', 'float32', table)];

  const startIds = g.input('ids', 'int64', [rows]);
  const startPositions = g.input('positions', 'int64', [rows, 1]);
  const uniforms = g.input('uniforms', 'float32', [CHUNK, rows]);
  const stopIds = g.input('stop_ids', 'int64', [1, 'stops']);
  const startDone = g.input('done', 'bool', [rows]);
  const turns = g.input('turns', 'int64', []);
  const scalars = {
    inverseTemperature: g.input('inverse_temperature', 'float32', []),
    topP: g.input('top_p', 'float32', []),
    topK: g.input('top_k', 'float32', []),
  };
  const promptBias = g.input('prompt_bias', 'float32', ['B', 1, 1, 'P']);
  const pastBias = g.input('past_bias', 'float32', ['L']);
  const caches = Array.from({ length: layers }, (_, layer) => ({
    prompt: {
      keys: g.input(`prompt_keys ${layer}`, 'float32', ['B', kvHeads, 'P', headDim]),
      values: g.input(`prompt_values ${layer}`, 'float32', ['B', kvHeads, 'P', headDim + 1]),
      bias: promptBias,
    },
    past: {
      keys: g.input(`past_keys ${layer}`, 'float32', ['B', kvHeads, group, 'L', headDim]),
      values: g.input(`past_values ${layer}`, 'float32', ['B', kvHeads, group, 'L', headDim + 1]),
      bias: pastBias,
    },
  }));
  const emptyChunk = (width: number): Value[] =>
    caches.map((_, layer) =>
      g.input(`empty_${width === headDim ? 'keys' : 'values'} ${layer}`, 'float32', [
        'B',
        kvHeads,
        group,
        CHUNK,
        width,
      ]),
    );
  const ones = g.input('ones', 'float32', ['B', kvHeads, group, 1, 1]);
  const slots = g.ints(Array.from({ length: CHUNK }, (_, i) => i));
  const embedding = weight(EMBEDDING_WEIGHT);
  const head = weight(HEAD_WEIGHT(config));

  const loop = g.loop(
    turns,
    'turns',
    [startIds, startDone, ...emptyChunk(headDim), ...emptyChunk(headDim + 1)],
    (b, turn, carried) => {
      const [ids, done, ...chunks] = carried as [Value, Value, ...Value[]];
      const next: Value[] = [...chunks];
      const isTurn = b.reshape(b.op('Equal', [slots, turn]), [CHUNK, 1]);
      const chunkBias = b.op('Where', [
        b.op('LessOrEqual', [slots, turn]),
        b.scalar(0),
        b.scalar(Number.NEGATIVE_INFINITY),
      ]);
      const positions = b.op('Add', [startPositions, turn]);
      const x = b.op('Gather', [embedding, ids], { axis: 0 });
      const last = decoderLayers(b, config, config.layers, weight, x, { positions, cosine, sine }, (layer, q, k, v) => {
        const heads = (y: Value, each: number): Value =>
          b.op('Transpose', [b.reshape(y, [-1, group, kvHeads, each, headDim])], { perm: [0, 2, 1, 3, 4] });
        const query = heads(b.op('Mul', [q, b.scalar(1 / Math.sqrt(headDim))]), repeats);
        const value = heads(v, 1);
        const keys = b.op('Where', [isTurn, heads(k, 1), chunks[layer]!]);
        const values = b.op('Where', [isTurn, b.op('Concat', [value, ones], { axis: 4 }), chunks[layers + layer]!]);
        next[layer] = keys;
        next[layers + layer] = values;
        const mixed = attendParts(
          b,
          query,
          caches[layer]!.prompt,
          [caches[layer]!.past, { keys, values, bias: chunkBias }],
          group,
        );
        return b.reshape(b.op('Transpose', [mixed], { perm: [0, 2, 1, 3, 4] }), [-1, kvHeads * repeats * headDim]);
      });
      const hidden = finalNorm(b, config, weight, last);
      const logits = headLogits(b, hidden, head, config.vocabularySize);
      const inputs: SamplingInputs = { ...scalars, uniform: b.op('Gather', [uniforms, turn], { axis: 0 }) };
      const { tokens, logprobs } = sample(b, mode, logits, inputs);
      const stopped = b.max(
        b.op('Cast', [b.op('Equal', [b.reshape(tokens, [tokens.shape[0]!, 1]), stopIds])], { to: 1 }),
        [1],
      );
      const nowDone = b.op('Or', [done, b.op('Greater', [b.reshape(stopped, [tokens.shape[0]!]), b.scalar(0)])]);
      const running = b.op('Cast', [b.op('Not', [nowDone])], { to: 1 });
      const keep = b.op('Greater', [b.op('ReduceMax', [running, b.ints([0])], { keepdims: 0 }), b.scalar(0)]);
      return { carried: [tokens, nowDone, ...next], collected: [tokens, logprobs], keep };
    },
  );
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

/** [rows, H] and [V, H] -> [rows, V] */
function headLogits(g: Graph, hidden: Value, head: Value, vocabulary: number): Value {
  if (vocabulary < LARGE_HEAD) return g.op('Gemm', [hidden, head], { transB: 1 });
  return g.op('Transpose', [g.op('Gemm', [head, hidden], { transB: 1 })], { perm: [1, 0] });
}
