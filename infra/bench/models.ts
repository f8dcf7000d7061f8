/** The models that rows run on: two small Llamas with random weights, made from a seed, and SmolLM2 where there is one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../activities/engine/model/index.js';
import { randomStream } from '../../activities/engine/random.js';
import { type LlamaShape, writeUntrainedLlama } from '../presets/untrained-llama.js';
import { UserError } from '../user-error.js';
import type { ModelName } from './work.js';

export interface Model {
  /** A Hugging Face folder. */
  directory: string;
  vocabularySize: number;
}

export type Shape = Pick<LlamaShape, 'hiddenSize' | 'layers' | 'heads' | 'vocabularySize'>;

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

/** The feed-forward layer is 8/3 as wide as the model, to a multiple of 8. */
export function writeModel(directory: string, shape: Shape): Promise<void> {
  const intermediateSize = 8 * Math.round(shape.hiddenSize / 3);
  return writeUntrainedLlama(directory, { ...shape, intermediateSize, contextLength: 131_072, eosId: null }, name => ({
    deviation: DEVIATION,
    random: randomStream('bench', 'weights', name),
  }));
}
