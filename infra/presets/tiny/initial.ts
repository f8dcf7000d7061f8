/** What pre-training starts from: the tiny model's shape and random weights that are a function of the seed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomStream } from '../../../activities/engine/random.js';
import { type LlamaShape, llamaConfig, writeUntrainedLlama } from '../untrained-llama.js';
import { EOS, TOKENS, tokenizerConfigJson, tokenizerJson } from './tokenizer.js';

const SHAPE: LlamaShape = {
  vocabularySize: TOKENS.length,
  hiddenSize: 128,
  intermediateSize: 344,
  layers: 3,
  heads: 4,
  contextLength: 2048,
  eosId: TOKENS.indexOf(EOS),
};

export const CONFIG = llamaConfig(SHAPE);

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
  await writeUntrainedLlama(directory, SHAPE, name => ({
    deviation: DEVIATIONS.find(([ending]) => name.endsWith(ending))![1],
    random: randomStream('tiny/weights', seed, name),
  }));
  const file = (name: string, content: unknown) =>
    writeFile(join(directory, name), `${JSON.stringify(content, null, 2)}\n`);
  await file('tokenizer.json', tokenizerJson());
  await file('tokenizer_config.json', tokenizerConfigJson());
}
