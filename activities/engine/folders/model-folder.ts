/**
 * Hugging Face model folders: config.json, the tokenizer's files and model.safetensors, read and written so that
 * transformers and the engine load each other's.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Fingerprint,
  newFolder,
  syncDirectory,
  type Tensor,
  type Tensors,
  WEIGHTS_FILE,
  Weights,
  writeSafetensors,
  writeSynced,
} from '../files/index.js';
import { type DecoderConfig, expectedTensors, parseConfig } from '../model/index.js';
import { EngineRequestError } from '../protocol/index.js';

export const CONFIG_FILE = 'config.json';

/** Everything beside config and weights that a model folder is used with; copied where present. */
export const COMPANION_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'special_tokens_map.json',
  'added_tokens.json',
  'generation_config.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'tokenizer.model',
] as const;

export interface ModelFolder {
  directory: string;
  config: DecoderConfig;
  /** config.json as it was, so that fields the engine has no use for survive a round trip. */
  configText: string;
  /** Exactly the tensors of `expectedTensors(config)`, in its order. */
  tensors: Tensors;
  /** Contents of the COMPANION_FILES there are, by name: the folder may be gone by the time that the policy is saved. */
  companions: ReadonlyMap<string, Buffer>;
}

/** The rotary frequencies that old checkpoints carry are a function of the config. */
const IGNORED = /\.rotary_emb\.inv_freq$/;

/**
 * Reads config and weights, all of them as 32-bit floats.
 * @param onTensor called after each tensor with the number read so far and in all.
 * @throws EngineRequestError naming the file, and the tensor that is missing, mis-shaped or unexpected.
 */
export async function readModelFolder(
  directory: string,
  onTensor: (done: number, total: number) => void = () => {},
): Promise<ModelFolder> {
  const { config, configText } = await readConfig(directory);
  const weights = await Weights.open(directory);
  try {
    const expected = expectedTensors(config);
    checkTensors(directory, config, expected, weights);
    const tensors: Tensors = new Map();
    for (const name of expected.keys()) {
      tensors.set(name, await weights.read(name));
      onTensor(tensors.size, expected.size);
    }
    if (config.tiedEmbeddings) await checkTiedHead(directory, tensors, weights);
    return { directory, config, configText, tensors, companions: await readCompanions(directory) };
  } finally {
    await weights.close();
  }
}

/** Reads config.json alone: cheap, for whoever needs only the model's sizes. */
export async function readConfig(directory: string): Promise<{ config: DecoderConfig; configText: string }> {
  const path = join(directory, CONFIG_FILE);
  let configText: string;
  let json: unknown;
  try {
    configText = await readFile(path, 'utf8');
    json = JSON.parse(configText);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineRequestError(
      `${path}: cannot be read: ${reason}; expected a Hugging Face model folder`,
      'bad-model',
    );
  }
  return { config: parseConfig(path, json), configText };
}

/** config.json and the tokenizer's files, of a folder that may be without weights. */
export async function readSmallFiles(directory: string): Promise<Pick<ModelFolder, 'configText' | 'companions'>> {
  const { configText } = await readConfig(directory);
  return { configText, companions: await readCompanions(directory) };
}

async function readCompanions(directory: string): Promise<Map<string, Buffer>> {
  const present = new Set(await readdir(directory));
  const companions = new Map<string, Buffer>();
  for (const name of COMPANION_FILES.filter(name => present.has(name)))
    companions.set(name, await readFile(join(directory, name)));
  return companions;
}

export interface ModelFolderContent extends Pick<ModelFolder, 'configText' | 'companions'> {
  tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Writes a folder that transformers and `readModelFolder` load: weights in 32 bits, everything flushed to the disk.
 * @param directory must not exist yet or be empty.
 * @returns SHA-256 and size of model.safetensors: a function of names, shapes and values alone.
 */
export async function writeModelFolder(directory: string, content: ModelFolderContent): Promise<Fingerprint> {
  await newFolder(directory);
  await writeSynced(join(directory, CONFIG_FILE), Buffer.from(withFloat32(content.configText)));
  for (const [name, bytes] of content.companions) await writeSynced(join(directory, name), bytes);
  const fingerprint = await writeSafetensors(join(directory, WEIGHTS_FILE), content.tensors);
  await syncDirectory(directory);
  return fingerprint;
}

function checkTensors(
  directory: string,
  config: DecoderConfig,
  expected: ReadonlyMap<string, number[]>,
  weights: Weights,
): void {
  const refuse = (problem: string): never => {
    throw new EngineRequestError(
      `${directory}: ${problem} (by ${CONFIG_FILE}, a ${config.architecture} model)`,
      'bad-model',
    );
  };
  for (const [name, shape] of expected) {
    const entry = weights.entry(name);
    if (!entry) refuse(`tensor '${name}' is missing; expected it with shape [${shape}]`);
    else if (entry.shape.join() !== shape.join()) {
      refuse(`tensor '${name}' has shape [${entry.shape}]; expected [${shape}]`);
    }
  }
  for (const name of weights.names) {
    const known = expected.has(name) || IGNORED.test(name) || (config.tiedEmbeddings && name === 'lm_head.weight');
    if (!known) refuse(`tensor '${name}' is not part of the model`);
  }
}

/** Some writers store a tied head beside the embeddings. A copy says nothing new; anything else contradicts the config. */
async function checkTiedHead(directory: string, tensors: Tensors, weights: Weights): Promise<void> {
  if (!weights.entry('lm_head.weight')) return;
  const head = await weights.read('lm_head.weight');
  const embeddings = tensors.get('model.embed_tokens.weight')!;
  if (bytesOf(head).equals(bytesOf(embeddings))) return;
  throw new EngineRequestError(
    `${directory}: lm_head.weight differs from model.embed_tokens.weight although ${CONFIG_FILE} says tie_word_embeddings; set it to false or remove lm_head.weight`,
    'bad-model',
  );
}

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Edits the text, not the parsed value: JavaScript would write 1e4's `10000.0` as `10000`, which transformers reads as another type. */
function withFloat32(configText: string): string {
  return configText.replace(/("(?:torch_dtype|dtype)"\s*:\s*)"[^"]*"/g, '$1"float32"');
}
