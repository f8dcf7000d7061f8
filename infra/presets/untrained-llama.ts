/** Llamas with random weights, in Hugging Face's layout: what a pre-training starts from, and what timings need no more of. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Tensor, writeSafetensors } from '../../activities/engine/files/index.js';
import { expectedTensors, parseConfig } from '../../activities/engine/model/index.js';
import type { RandomStream } from '../../activities/engine/random.js';

export interface LlamaShape {
  vocabularySize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  contextLength: number;
  eosId: number | null;
}

/** config.json as transformers has it. */
export function llamaConfig(shape: LlamaShape) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: shape.vocabularySize,
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.heads,
    hidden_act: 'silu',
    max_position_embeddings: shape.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: null,
    eos_token_id: shape.eosId,
    torch_dtype: 'float32',
  };
}

/**
 * Writes config.json and weights, the latter normally distributed around 0; norms are 1.
 * @param initial a tensor's standard deviation, and the stream that its numbers come from
 */
export async function writeUntrainedLlama(
  directory: string,
  shape: LlamaShape,
  initial: (name: string) => { deviation: number; random: RandomStream },
): Promise<void> {
  const config = llamaConfig(shape);
  const path = join(directory, 'config.json');
  await mkdir(directory, { recursive: true });
  await writeFile(path, `${JSON.stringify(config, null, 2)}\n`);
  const tensors = new Map<string, Tensor>();
  for (const [name, dims] of expectedTensors(parseConfig(path, config))) {
    const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
    tensors.set(name, {
      shape: dims,
      data: name.endsWith('norm.weight') ? data.fill(1) : gaussian(data, initial(name)),
    });
  }
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
}

/** Box and Muller's transform. */
function gaussian(
  data: Float32Array,
  { deviation, random }: { deviation: number; random: RandomStream },
): Float32Array {
  const { uniform } = random;
  return data.map(() => deviation * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}
