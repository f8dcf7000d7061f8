/** The models that rows run on: two small Llamas with random weights, made from a seed, and SmolLM2 where there is one. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectedTensors, parseConfig } from '../../activities/engine/config.js';
import { randomStream } from '../../activities/engine/random.js';
import { type Tensor, writeSafetensors } from '../../activities/engine/safetensors.js';
import { UserError } from '../user-error.js';
import type { ModelName } from './work.js';

export interface Model {
  /** A Hugging Face folder. */
  directory: string;
  vocabularySize: number;
}

export interface Shape {
  hiddenSize: number;
  layers: number;
  heads: number;
  vocabularySize: number;
}

export const SHAPES: Record<Exclude<ModelName, 'smollm2'>, Shape> = {
  '256x4': { hiddenSize: 256, layers: 4, heads: 4, vocabularySize: 512 },
  '128x2': { hiddenSize: 128, layers: 2, heads: 4, vocabularySize: 512 },
};

/** transformers' initializer_range. */
const DEVIATION = 0.02;

/** The model's folder, written under `scratch` if it is one of the small ones. @param smollm2 SmolLM2's folder */
export async function modelOf(name: ModelName, scratch: string, smollm2: string | undefined): Promise<Model> {
  if (name === 'smollm2') return readModel(smollm2!);
  const directory = join(scratch, name);
  await writeModel(directory, SHAPES[name]);
  return { directory, vocabularySize: SHAPES[name].vocabularySize };
}

async function readModel(directory: string): Promise<Model> {
  const path = join(directory, 'config.json');
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UserError(`${path}: cannot be read (${error.message}); expected a Hugging Face folder (--smollm2).`);
  });
  return { directory, vocabularySize: parseConfig(path, JSON.parse(text)).vocabularySize };
}

/** A Llama with normally distributed weights. The feed-forward layer is 8/3 as wide as the model, to a multiple of 8. */
export async function writeModel(directory: string, shape: Shape): Promise<void> {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: shape.vocabularySize,
    hidden_size: shape.hiddenSize,
    intermediate_size: 8 * Math.round(shape.hiddenSize / 3),
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.heads,
    hidden_act: 'silu',
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: null,
    eos_token_id: null,
    torch_dtype: 'float32',
  };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const tensors = new Map<string, Tensor>();
  for (const [name, dims] of expectedTensors(parseConfig(join(directory, 'config.json'), config)))
    tensors.set(name, { shape: dims, data: initialValues(name, dims) });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
}

function initialValues(name: string, dims: number[]): Float32Array {
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  if (name.endsWith('norm.weight')) return data.fill(1);
  const { uniform } = randomStream('bench', 'weights', name);
  return data.map(() => DEVIATION * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}
