/**
 * A Hugging Face config.json, read into the numbers the decoder is built from. Field names, defaults and precedence are
 * those of transformers' LlamaConfig, Qwen2Config and Qwen3Config, version 4 (`rope_theta`, `rope_scaling`) and version
 * 5 (`rope_parameters`) alike. Whatever the decoder cannot do is refused here, by name, before a weight is read.
 */
import { z } from 'zod';
import { EngineRequestError, shown } from '../protocol/index.js';
import { type Rope, type RopeScaling, readRope } from './rope-scaling.js';

export type Architecture = 'llama' | 'qwen2' | 'qwen3';

export interface DecoderConfig {
  architecture: Architecture;
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  /** Query heads; a multiple of `kvHeads`. */
  heads: number;
  kvHeads: number;
  /** Even; not always hiddenSize / heads. */
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  /** Null for plain rotary embeddings. */
  ropeScaling: RopeScaling | null;
  /** The output head is the embedding matrix. */
  tiedEmbeddings: boolean;
  /** Biases on the query, key and value projections. */
  attentionBias: boolean;
  /** Bias on the attention's output projection. */
  outputBias: boolean;
  /** Biases on the gate, up and down projections. */
  mlpBias: boolean;
  /** RMS norms over each query and key head, before the rotation. */
  qkNorm: boolean;
  /** Longest sequence in tokens: max_position_embeddings, or what a rotary scaling makes of it. */
  contextLength: number;
  bosId: number | null;
  /** Ids that end a text; may be empty. */
  eosIds: number[];
}

/** Beyond what any tensor, or list of them, could have: a config alone must not fill the memory. */
const MOST = 2 ** 31 - 1;
const MOST_LAYERS = 10_000;

const size = z.int().positive().max(MOST);
const tokenId = z.int().min(0);
const ropeSchema = z.record(z.string(), z.unknown());

const configSchema = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size.max(MOST_LAYERS),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: size,
  original_max_position_embeddings: size.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  partial_rotary_factor: z.number().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: z.int().nullish(),
  layer_types: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
});

type RawConfig = z.output<typeof configSchema>;

/** Where the families differ: everything else is read the same way for all three. */
interface Family {
  causalLm: string;
  /** Used where config.json leaves the field out (null means "derive it from the heads"). */
  defaultKvHeads: number | null;
  defaultHeadDim: number | null;
  defaultBos: number | null;
  defaultEos: number[];
  attentionBias: (raw: RawConfig) => boolean;
  outputBias: (raw: RawConfig) => boolean;
  mlpBias: (raw: RawConfig) => boolean;
  qkNorm: boolean;
}

const FAMILIES: Record<Architecture, Family> = {
  llama: {
    causalLm: 'LlamaForCausalLM',
    defaultKvHeads: null,
    defaultHeadDim: null,
    defaultBos: 1,
    defaultEos: [2],
    attentionBias: raw => raw.attention_bias,
    outputBias: raw => raw.attention_bias,
    mlpBias: raw => raw.mlp_bias,
    qkNorm: false,
  },
  qwen2: {
    causalLm: 'Qwen2ForCausalLM',
    defaultKvHeads: 32,
    defaultHeadDim: null,
    defaultBos: null,
    defaultEos: [],
    attentionBias: () => true,
    outputBias: () => false,
    mlpBias: () => false,
    qkNorm: false,
  },
  qwen3: {
    causalLm: 'Qwen3ForCausalLM',
    defaultKvHeads: 32,
    defaultHeadDim: 128,
    defaultBos: null,
    defaultEos: [],
    attentionBias: raw => raw.attention_bias,
    outputBias: raw => raw.attention_bias,
    mlpBias: () => false,
    qkNorm: true,
  },
};

/**
 * @param path of the config.json, for messages.
 * @param json its parsed content.
 * @throws EngineRequestError: `bad-model` for wrong or missing fields (all of them named), `unsupported` for what the
 * decoder does not do.
 */
export function parseConfig(path: string, json: unknown): DecoderConfig {
  const modelType = z.looseObject({ model_type: z.string() }).safeParse(json).data?.model_type;
  if (modelType !== undefined && !Object.hasOwn(FAMILIES, modelType)) {
    throw unsupported(path, 'model_type', modelType, Object.keys(FAMILIES).join(', '));
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'config'}: ${issue.message}`);
    throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
  }
  const raw = parsed.data;
  const architecture = raw.model_type as Architecture;
  const family = FAMILIES[architecture];
  const rope = readRope(path, raw);
  refuseUnsupported(path, raw, rope, family);

  const config: DecoderConfig = {
    architecture,
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    kvHeads: withDefault(raw.num_key_value_heads, family.defaultKvHeads) ?? raw.num_attention_heads,
    headDim: withDefault(raw.head_dim, family.defaultHeadDim) ?? raw.hidden_size / raw.num_attention_heads,
    rmsNormEps: raw.rms_norm_eps,
    ropeTheta: rope.theta,
    ropeScaling: rope.scaling,
    tiedEmbeddings: raw.tie_word_embeddings,
    attentionBias: family.attentionBias(raw),
    outputBias: family.outputBias(raw),
    mlpBias: family.mlpBias(raw),
    qkNorm: family.qkNorm,
    contextLength: rope.contextLength,
    bosId: withDefault(raw.bos_token_id, family.defaultBos),
    eosIds: eosIds(raw, family),
  };
  checkHeads(path, config);
  return config;
}

/** Every tensor of the model under its Hugging Face name with its shape; linear layers are [out, in]. */
export function expectedTensors(config: DecoderConfig): Map<string, number[]> {
  const { hiddenSize: hidden, intermediateSize: intermediate, headDim } = config;
  const queries = config.heads * headDim;
  const keys = config.kvHeads * headDim;
  const shapes = new Map<string, number[]>();
  const linear = (name: string, out: number, into: number, bias: boolean) => {
    shapes.set(`${name}.weight`, [out, into]);
    if (bias) shapes.set(`${name}.bias`, [out]);
  };

  shapes.set('model.embed_tokens.weight', [config.vocabularySize, hidden]);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`;
    shapes.set(`${at}.input_layernorm.weight`, [hidden]);
    linear(`${at}.self_attn.q_proj`, queries, hidden, config.attentionBias);
    linear(`${at}.self_attn.k_proj`, keys, hidden, config.attentionBias);
    linear(`${at}.self_attn.v_proj`, keys, hidden, config.attentionBias);
    linear(`${at}.self_attn.o_proj`, hidden, queries, config.outputBias);
    if (config.qkNorm) {
      shapes.set(`${at}.self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${at}.self_attn.k_norm.weight`, [headDim]);
    }
    shapes.set(`${at}.post_attention_layernorm.weight`, [hidden]);
    linear(`${at}.mlp.gate_proj`, intermediate, hidden, config.mlpBias);
    linear(`${at}.mlp.up_proj`, intermediate, hidden, config.mlpBias);
    linear(`${at}.mlp.down_proj`, hidden, intermediate, config.mlpBias);
  }
  shapes.set('model.norm.weight', [hidden]);
  if (!config.tiedEmbeddings) shapes.set('lm_head.weight', [config.vocabularySize, hidden]);
  return shapes;
}

/** An absent field has the family's default; an explicit null is a null. */
function withDefault(value: number | null | undefined, fallback: number | null): number | null {
  return value === undefined ? fallback : value;
}

function eosIds(raw: RawConfig, family: Family): number[] {
  const value = raw.eos_token_id;
  if (value === undefined) return family.defaultEos;
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function unsupported(path: string, field: string, value: string, supported: string): EngineRequestError {
  return new EngineRequestError(
    `${path}: ${field} '${value}' is not supported; supported: ${supported}`,
    'unsupported',
  );
}

function refuseUnsupported(path: string, raw: RawConfig, rope: Rope, family: Family): void {
  if (raw.architectures?.length && !raw.architectures.includes(family.causalLm)) {
    throw unsupported(path, 'architectures', raw.architectures.join(', '), family.causalLm);
  }
  if (raw.hidden_act !== 'silu') throw unsupported(path, 'hidden_act', raw.hidden_act, 'silu');
  const rotary = rope.partial ?? raw.partial_rotary_factor ?? 1;
  if (rotary !== 1) throw unsupported(path, 'partial_rotary_factor', String(rotary), '1');
  if (raw.use_sliding_window && raw.sliding_window) {
    throw unsupported(path, 'use_sliding_window', 'true', 'false (every layer attends to the whole context)');
  }
  const otherLayer = raw.layer_types?.find(type => type !== 'full_attention');
  if (otherLayer !== undefined) throw unsupported(path, 'layer_types', otherLayer, 'full_attention');
  if (raw.quantization_config) {
    throw unsupported(path, 'quantization_config', shown(raw.quantization_config), 'weights in F32, F16 or BF16');
  }
}

function checkHeads(path: string, config: DecoderConfig): void {
  const { heads, kvHeads, headDim, hiddenSize } = config;
  if (heads % kvHeads !== 0) {
    throw new EngineRequestError(
      `${path}: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`,
      'bad-model',
    );
  }
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new EngineRequestError(
      `${path}: head size ${headDim} (head_dim, or hidden_size ${hiddenSize} / num_attention_heads ${heads}); expected an even whole number`,
      'bad-model',
    );
  }
}
