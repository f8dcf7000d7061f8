/**
 * The decoder of the Llama family (llama, qwen2, qwen3) as a graph: RMSNorm, rotary embeddings, grouped-query attention,
 * SwiGLU. How positions attend to each other is handed in, so that training, prefill and decoding share these lines.
 *
 * Shapes: T rows (tokens), H hidden size, heads times head size = A, key-value heads times head size = K.
 */
import { product } from '../autodiff/index.js';
import { type Graph, GraphError, type Value } from '../graph/index.js';
import type { DecoderConfig } from './config.js';

/** Rotary angles, as graph inputs: the table of cosines and sines [positions, headDim / 2] and each row's position [T, 1]. */
export interface RotaryInputs {
  positions: Value;
  cosine: Value;
  sine: Value;
}

export function rotaryInputs(g: Graph, config: DecoderConfig, rows: string | number): RotaryInputs {
  const table = ['rotary_positions', config.headDim / 2];
  return {
    positions: g.input('positions', 'int64', [rows, 1]),
    cosine: g.input('rotary_cosine', 'float32', table),
    sine: g.input('rotary_sine', 'float32', table),
  };
}

/** The model's tensors as graph inputs under their Hugging Face names. */
export type Weight = (name: string) => Value;

export function weightInputs(g: Graph, shapes: ReadonlyMap<string, readonly number[]>): Weight {
  const values = new Map([...shapes].map(([name, shape]) => [name, g.input(name, 'float32', shape)]));
  return name => {
    const value = values.get(name);
    if (!value) throw new GraphError(`the model has no tensor "${name}"`);
    return value;
  };
}

/** What is added to the result y [T, out] of the linear layer of that name (`model.layers.0.mlp.up_proj`), given its input x [T, in]. */
export type Adapt = (module: string, x: Value, y: Value) => Value;

/** x W^T (+ b): product.ts has several. */
export type Multiply = (g: Graph, x: Value, w: Value, bias?: Value) => Value;

const unadapted: Adapt = (_module, _x, y) => y;

/** One layer's weights and adaptations, under the names they have within it, and how rows are multiplied with the weights. */
interface Layer {
  weight: Weight;
  adapt: Adapt;
  multiply: Multiply;
}

/** What one layer's queries [T, A], keys and values [T, K] (rotated) become: [T, A]. */
export type Attend = (layer: number, q: Value, k: Value, v: Value) => Value;

export const HEAD_WEIGHT = (config: DecoderConfig): string =>
  config.tiedEmbeddings ? EMBEDDING_WEIGHT : 'lm_head.weight';
export const EMBEDDING_WEIGHT = 'model.embed_tokens.weight';
export const FINAL_NORM_WEIGHT = 'model.norm.weight';

const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

/** The name, `shift` layers further up, of a weight, a module or an adapter's tensor; those outside the layers keep theirs. */
export const shiftLayer = (name: string, shift: number): string =>
  name.replace(/\bmodel\.layers\.(\d+)\./, (_, layer: string) => layerPrefix(Number(layer) + shift));

/**
 * `count` layers, under the names of layers 0 to count - 1: graphs that run any stretch of the model are fed its weights
 * under these.
 *
 * @param x [T, H]: token embeddings, or what the layers before gave
 * @returns [T, H]
 */
export function decoderLayers(
  g: Graph,
  config: DecoderConfig,
  count: number,
  weight: Weight,
  x: Value,
  rotary: RotaryInputs,
  attend: Attend,
  { adapt = unadapted, multiply = product }: { adapt?: Adapt; multiply?: Multiply } = {},
): Value {
  let hidden = x;
  for (let layer = 0; layer < count; layer++) {
    const prefix = layerPrefix(layer);
    const local: Layer = {
      weight: name => weight(prefix + name),
      adapt: (module, x, y) => adapt(prefix + module, x, y),
      multiply,
    };
    const normed = norm(g, config, hidden, local.weight('input_layernorm.weight'));
    const [q, k, v] = projections(g, config, local, normed, rotary);
    const mixed = linear(g, attend(layer, q, k, v), local, 'self_attn.o_proj', config.outputBias);
    hidden = g.op('Add', [hidden, mixed]);
    const feed = norm(g, config, hidden, local.weight('post_attention_layernorm.weight'));
    hidden = g.op('Add', [hidden, swiglu(g, config, local, feed)]);
  }
  return hidden;
}

/** The norm between the last layer and the head. [T, H] -> [T, H] */
export const finalNorm = (g: Graph, config: DecoderConfig, weight: Weight, x: Value): Value =>
  norm(g, config, x, weight(FINAL_NORM_WEIGHT));

function norm(g: Graph, config: DecoderConfig, x: Value, scale: Value): Value {
  return g.op('SimplifiedLayerNormalization', [x, scale], {
    axis: -1,
    epsilon: { float: config.rmsNormEps },
    stash_type: 1,
  });
}

/** y = x W^T (+ b), W as Hugging Face keeps it: [out, in], and what an adapter adds. */
function linear(g: Graph, x: Value, { weight, adapt, multiply }: Layer, name: string, bias: boolean): Value {
  const y = multiply(g, x, weight(`${name}.weight`), bias ? weight(`${name}.bias`) : undefined);
  return adapt(name, x, y);
}

function projections(
  g: Graph,
  config: DecoderConfig,
  local: Layer,
  x: Value,
  rotary: RotaryInputs,
): [Value, Value, Value] {
  const project = (name: string): Value => linear(g, x, local, `self_attn.${name}_proj`, config.attentionBias);
  const rotated = (name: 'q' | 'k', heads: number): Value => {
    const rows = x.shape[0]!;
    const { headDim } = config;
    let heads3 = project(name);
    if (config.qkNorm)
      heads3 = norm(
        g,
        config,
        g.reshape(heads3, [rows, heads, headDim]),
        local.weight(`self_attn.${name}_norm.weight`),
      );
    // Each row as a batch of its own: the operator wants no sequence longer than its table.
    const batch = g.reshape(heads3, [rows, 1, heads * headDim]);
    const turned = g.op('RotaryEmbedding', [batch, rotary.positions, rotary.cosine, rotary.sine], { interleaved: 0 });
    return g.reshape(turned, [rows, heads * headDim]);
  };
  return [rotated('q', config.heads), rotated('k', config.kvHeads), project('v')];
}

function swiglu(g: Graph, config: DecoderConfig, local: Layer, x: Value): Value {
  const gate = linear(g, x, local, 'mlp.gate_proj', config.mlpBias);
  const up = linear(g, x, local, 'mlp.up_proj', config.mlpBias);
  const activated = g.op('Mul', [g.op('QuickGelu', [gate], { alpha: { float: 1 } }), up]);
  return linear(g, activated, local, 'mlp.down_proj', config.mlpBias);
}
