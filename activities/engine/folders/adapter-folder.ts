/**
 * PEFT's adapter folders, adapter_config.json and adapter_model.safetensors, read and written so that PEFT and the engine
 * load each other's (https://huggingface.co/docs/peft/developer_guides/checkpoint).
 */
import { join } from 'node:path';
import {
  exists,
  type Fingerprint,
  newFolder,
  SafetensorsFile,
  syncDirectory,
  type Tensors,
  writeSafetensors,
  writeSynced,
} from '../files/index.js';
import {
  type Adapter,
  adapterShapes,
  type DecoderConfig,
  EMBEDDING_MODULES,
  lastPart,
  layerSettings,
  linearModules,
  shortNames,
} from '../model/index.js';
import { EngineRequestError, type LoraSettings } from '../protocol/index.js';
import { ADAPTER_CONFIG_FILE, type PeftConfig, readPeftConfig } from './peft-config.js';
import { peftLayers } from './peft-layers.js';

export const ADAPTER_WEIGHTS_FILE = 'adapter_model.safetensors';

/** Whether the folder holds an adapter rather than a whole model. */
export function hasAdapter(directory: string): Promise<boolean> {
  return exists(join(directory, ADAPTER_CONFIG_FILE));
}

/**
 * Reads an adapter for a model of this config, its tensors as 32-bit floats.
 * @throws EngineRequestError naming the file and the field or tensor: `unsupported` for what PEFT can do beyond plain
 * LoRA on linear layers, `bad-model` for what is wrong or does not fit the model
 */
export async function readAdapter(directory: string, config: DecoderConfig): Promise<Adapter> {
  const peft = await readPeftConfig(directory);
  const path = join(directory, ADAPTER_WEIGHTS_FILE);
  if (!(await exists(path)))
    throw new EngineRequestError(`${path}: does not exist; expected an adapter's weights as safetensors`, 'bad-model');
  const layers = layersOf(directory, peft, config);
  const { modules, exceptions } = layers;
  const settings = settingsOf(peft, layers);
  const shapes = adapterShapes(config, modules, module => layerSettings({ settings, exceptions }, module).rank);
  const file = await SafetensorsFile.open(path);
  try {
    refuseOthers(
      path,
      [...file.entries].filter(([name]) => !shapes.has(name)),
      config,
    );
    const tensors: Tensors = new Map();
    for (const [name, shape] of shapes) {
      const entry = file.entries.get(name);
      if (entry?.shape.join() !== shape.join())
        throw new EngineRequestError(
          `${path}: tensor '${name}' ${entry ? `has shape [${entry.shape}]` : 'is missing'}; expected shape [${shape}] for this model`,
          'bad-model',
        );
      tensors.set(name, await file.read(name));
    }
    const baseModel = peft.base_model_name_or_path ?? null;
    return { settings, modules, exceptions, tensors, baseModel, dropout: peft.lora_dropout ?? 0 };
  } finally {
    await file.close();
  }
}

function layersOf(directory: string, peft: PeftConfig, config: DecoderConfig) {
  try {
    return peftLayers(peft, config);
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    throw new EngineRequestError(`${join(directory, ADAPTER_CONFIG_FILE)}: ${error.message}`, error.code);
  }
}

/** Where more than a list of names says which layers there are, they are listed by their whole names. */
function settingsOf(peft: PeftConfig, { modules, listed }: ReturnType<typeof peftLayers>): LoraSettings {
  return {
    rank: peft.r,
    alpha: peft.lora_alpha,
    targetModules: listed ? (peft.target_modules as string[]) : [...modules].sort(),
    rslora: peft.use_rslora ?? false,
  };
}

/** Says of the first tensor that is no part of the adapter what it is. */
function refuseOthers(
  path: string,
  others: readonly [string, { shape: readonly number[] }][],
  config: DecoderConfig,
): void {
  const embeddingOf = (name: string) => EMBEDDING_MODULES.find(module => name.includes(`.${module}.`));
  const adapted = others.find(([name]) => embeddingOf(name) && name.includes('.lora_'));
  const first = adapted ?? others[0];
  if (!first) return;
  const [name, { shape }] = first;
  const refuse = (what: string, code: EngineRequestError['code']): never => {
    throw new EngineRequestError(`${path}: tensor '${name}' ${what}`, code);
  };
  const embedding = embeddingOf(name);
  if (adapted) refuse(`adapts ${embedding}, which is not supported; supported: ${shortNames(config)}`, 'unsupported');
  if (embedding) {
    const { vocabularySize } = config;
    const resized =
      shape[0] === vocabularySize ? 'saved' : `resized to ${shape[0]} tokens from ${vocabularySize} and saved`;
    refuse(
      `is the ${embedding} of its own model, ${resized} beside the adapter, which is not supported; merge the two with PEFT (merge_and_unload) and load the whole model`,
      'unsupported',
    );
  }
  const known = linearModules(config).some(module => name.includes(`.${module}.`));
  refuse(`belongs to no layer ${known ? `that ${ADAPTER_CONFIG_FILE} targets` : 'of this model'}`, 'bad-model');
}

/**
 * Writes a folder that PEFT's `PeftModel.from_pretrained` and `readAdapter` load, flushed to the disk.
 * @param directory must not exist yet or be empty
 * @returns SHA-256 and size of adapter_model.safetensors: a function of names, shapes and values alone
 */
export async function writeAdapter(directory: string, adapter: Adapter): Promise<Fingerprint> {
  await newFolder(directory);
  await writeSynced(join(directory, ADAPTER_CONFIG_FILE), Buffer.from(adapterConfigText(adapter)));
  const fingerprint = await writeSafetensors(join(directory, ADAPTER_WEIGHTS_FILE), adapter.tensors);
  await syncDirectory(directory);
  return fingerprint;
}

function adapterConfigText(adapter: Adapter): string {
  const { settings, modules, baseModel, dropout } = adapter;
  const { rank, alpha, targetModules, rslora } = settings;
  // Spelt out: of those who read such folders only PEFT knows what all-linear stands for.
  const targets = targetModules === 'all-linear' ? modules.map(lastPart) : targetModules;
  const fields = {
    alpha_pattern: pattern(adapter, 'alpha'),
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: pattern(adapter, 'rank'),
    target_modules: [...new Set(targets)].sort(),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: rslora,
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** By the layers' whole names. */
function pattern({ settings, exceptions }: Adapter, field: 'rank' | 'alpha'): Record<string, number> {
  const others = [...exceptions].filter(([, own]) => own[field] !== settings[field]);
  return Object.fromEntries(others.map(([module, own]) => [module, own[field]]));
}
