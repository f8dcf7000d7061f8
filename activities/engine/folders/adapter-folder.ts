/**
 * PEFT's adapter folders, adapter_config.json and adapter_model.safetensors, read and written so that PEFT and the engine
 * load each other's (https://huggingface.co/docs/peft/developer_guides/checkpoint).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
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
import { type Adapter, adapterShapes, type DecoderConfig, lastPart, targetedModules } from '../model/index.js';
import { EngineRequestError, type LoraSettings, shown } from '../protocol/index.js';

export const ADAPTER_CONFIG_FILE = 'adapter_config.json';
export const ADAPTER_WEIGHTS_FILE = 'adapter_model.safetensors';

/** More than any layer has rows. */
const MOST_RANK = 2 ** 20;

const configSchema = z.looseObject({
  r: z.int().positive().max(MOST_RANK),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()).min(1), z.literal('all-linear')], {
    error: 'expected a list of names or "all-linear" (a regular expression is not supported: list the layers)',
  }),
  use_rslora: z.boolean().default(false),
  base_model_name_or_path: z.string().nullish(),
});

/** Fields with a few values that the engine does right by, and why the value does not matter beyond that. */
const SUPPORTED: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  task_type: ['CAUSAL_LM', null],
  bias: ['none'],
  // How A and B began; others (pissa, olora, …) change the base's weights too.
  init_lora_weights: [true, false, 'gaussian', 'orthogonal'],
};

/** Says where an adapter comes from, or only has a meaning beside a field that is refused when set. */
const IMMATERIAL = new Set([
  ...Object.keys(configSchema.shape),
  'auto_mapping',
  'inference_mode',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
]);

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
  const { settings, baseModel } = await readAdapterConfig(directory);
  const path = join(directory, ADAPTER_WEIGHTS_FILE);
  if (!(await exists(path)))
    throw new EngineRequestError(`${path}: does not exist; expected an adapter's weights as safetensors`, 'bad-model');
  let modules: string[];
  try {
    modules = targetedModules(config, settings.targetModules);
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    const code = error.code === 'unsupported' ? error.code : 'bad-model';
    throw new EngineRequestError(`${join(directory, ADAPTER_CONFIG_FILE)}: target_modules: ${error.message}`, code);
  }
  const shapes = adapterShapes(config, modules, settings.rank);
  const file = await SafetensorsFile.open(path);
  try {
    for (const name of file.entries.keys())
      if (!shapes.has(name))
        throw new EngineRequestError(
          `${path}: tensor '${name}' belongs to no layer that ${ADAPTER_CONFIG_FILE} targets`,
          'bad-model',
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
    return { settings, modules, tensors, baseModel };
  } finally {
    await file.close();
  }
}

async function readAdapterConfig(directory: string): Promise<{ settings: LoraSettings; baseModel: string | null }> {
  const path = join(directory, ADAPTER_CONFIG_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new EngineRequestError(
      `${path}: cannot be read: ${error instanceof Error ? error.message : error}; expected PEFT's adapter folder`,
      'bad-model',
    );
  }
  const fields = z.record(z.string(), z.unknown()).safeParse(json).data ?? {};
  for (const [field, value] of Object.entries(fields)) refuseUnsupported(path, field, value);
  if (fields.peft_type === undefined)
    throw new EngineRequestError(`${path}: peft_type is missing; expected LORA`, 'bad-model');
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`);
    throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
  }
  const { r: rank, lora_alpha: alpha, target_modules: targetModules, use_rslora: rslora } = parsed.data;
  return {
    settings: { rank, alpha, targetModules, rslora },
    baseModel: parsed.data.base_model_name_or_path ?? null,
  };
}

/** Any field that is set and not known to be harmless may change what the adapter computes (use_dora, rank_pattern, …). */
function refuseUnsupported(path: string, field: string, value: unknown): void {
  if (IMMATERIAL.has(field)) return;
  const supported = Object.hasOwn(SUPPORTED, field) ? SUPPORTED[field]! : null;
  if (supported ? supported.includes(value) : isEmpty(value)) return;
  throw new EngineRequestError(
    `${path}: ${field} ${shown(value)} is not supported; supported: ${supported ? supported.map(v => JSON.stringify(v)).join(', ') : 'leaving it unset'}`,
    'unsupported',
  );
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === false || value === 0;
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

function adapterConfigText({ settings, modules, baseModel }: Adapter): string {
  const { rank, alpha, targetModules, rslora } = settings;
  // Spelt out: of those who read such folders only PEFT knows what all-linear stands for.
  const targets = targetModules === 'all-linear' ? modules.map(lastPart) : targetModules;
  const fields = {
    alpha_pattern: {},
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: {},
    target_modules: [...new Set(targets)].sort(),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: rslora,
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}
