/** What pre-training starts from: the tiny model's shape and random weights that are a function of the seed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectedTensors, parseConfig } from '../../../activities/engine/config.js';
import { randomStream } from '../../../activities/engine/random.js';
import { type Tensor, writeSafetensors } from '../../../activities/engine/safetensors.js';
import { EOS, TOKENS, tokenizerConfigJson, tokenizerJson } from './tokenizer.js';

export const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: TOKENS.length,
  hidden_size: 128,
  intermediate_size: 344,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  hidden_act: 'silu',
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: null,
  eos_token_id: TOKENS.indexOf(EOS),
  torch_dtype: 'float32',
};

/**
 * Standard deviations of the initial weights, by the end of the tensor's name; norms start at one. Embeddings are large
 * and what layers add to them is small: with both small, a token's identity drowns in noise at the start, and copying
 * (induction) takes four times as many steps to form, or does not.
 */
const DEVIATIONS: [ending: string, deviation: number][] = [
  ['embed_tokens.weight', 0.4],
  ['lm_head.weight', 0.02],
  ['o_proj.weight', 0.032],
  ['down_proj.weight', 0.032],
  ['proj.weight', 0.08],
];

/** Writes a Hugging Face folder with untrained weights. */
export async function writeInitialModel(directory: string, seed: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = (name: string, content: unknown) =>
    writeFile(join(directory, name), `${JSON.stringify(content, null, 2)}\n`);
  await file('config.json', CONFIG);
  await file('tokenizer.json', tokenizerJson());
  await file('tokenizer_config.json', tokenizerConfigJson());
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(parseConfig(join(directory, 'config.json'), CONFIG)))
    tensors.set(name, { shape, data: initialValues(name, shape, seed) });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
}

function initialValues(name: string, shape: number[], seed: number): Float32Array {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const deviation = DEVIATIONS.find(([ending]) => name.endsWith(ending))?.[1];
  if (deviation === undefined) return data.fill(1);
  const { uniform } = randomStream('tiny/weights', seed, name);
  return data.map(() => deviation * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}
