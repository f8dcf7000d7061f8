/**
 * PEFT's adapter_config.json. Whatever changes what the adapter computes is read or refused by name; what says how it was
 * trained, or where it comes from, is no matter.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineRequestError, shown } from '../protocol/index.js';

export const ADAPTER_CONFIG_FILE = 'adapter_config.json';

/** More than any layer has rows. */
const MOST_RANK = 2 ** 20;

const rank = z.int().positive().max(MOST_RANK);
const alpha = z.number().positive();
const expressionOrNames = z.union([z.array(z.string()), z.string()], {
  error: 'expected a list of names or one regular expression',
});

const configSchema = z.looseObject({
  r: rank,
  lora_alpha: alpha,
  target_modules: expressionOrNames.refine(targets => targets.length > 0, 'expected one name or more'),
  exclude_modules: expressionOrNames.nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  layers_pattern: expressionOrNames.nullish(),
  rank_pattern: z.record(z.string(), rank).nullish(),
  alpha_pattern: z.record(z.string(), alpha).nullish(),
  use_rslora: z.boolean().nullish(),
  lora_dropout: z.number().min(0).lt(1).nullish(),
  base_model_name_or_path: z.string().nullish(),
});

/** The fields that the engine reads, as the file has them. */
export type PeftConfig = z.output<typeof configSchema>;

/** Fields with a few values that the engine does right by, and why the value does not matter beyond that. */
const SUPPORTED: Record<string, readonly unknown[]> = {
  peft_type: ['LORA'],
  task_type: ['CAUSAL_LM', null],
  bias: ['none'],
  // How A and B began; others (pissa, olora, …) change the base's weights too.
  init_lora_weights: [true, false, 'gaussian', 'orthogonal', 'eva'],
};

/** Says where an adapter comes from or how it began, or only has a meaning beside a field that is refused when set. */
const IMMATERIAL = new Set([
  ...Object.keys(configSchema.shape),
  'auto_mapping',
  // Of embeddings that are trained beside the adapter.
  'ensure_weight_tying',
  'eva_config',
  // PEFT itself turns it off for the layers that the supported models have.
  'fan_in_fan_out',
  'inference_mode',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
]);

/** @throws EngineRequestError naming the file and the field: `unsupported` for what PEFT can do beyond plain LoRA */
export async function readPeftConfig(directory: string): Promise<PeftConfig> {
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
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`);
  throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
}

/** Any field that is set and not known to be harmless may change what the adapter computes (use_dora, lora_bias, …). */
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
