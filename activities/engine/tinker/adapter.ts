/**
 * From a service's archive of an adapter to a PEFT folder that says all there is to it. Services write configurations that
 * PEFT reads otherwise than they mean: without a list of layers it takes its own default and leaves the other tensors out
 * without a word. The tensors themselves say which layers there are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SafetensorsFile } from '../files/index.js';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, readAdapter } from '../folders/index.js';
import { type Adapter, type DecoderConfig, lastPart } from '../model/index.js';
import { EngineRequestError } from '../protocol/index.js';
import { filesOf } from './archive.js';

const LAYER = /^base_model\.model\.(.+)\.lora_[AB](?:\.default)?\.weight$/;

/** What an archive says of the adapter in it. */
export interface AdapterAccount {
  rank: number;
  alpha: number;
  /** Last parts of the adapted layers' names, sorted. */
  modules: string[];
}

/** The adapter of an archive, for a model of this config. @throws EngineRequestError naming the file and what is wrong with it */
export function adapterOf(
  archive: Buffer,
  work: { folder: string; what: string },
  base: { config: DecoderConfig; name: string },
): Promise<Adapter> {
  return unpackedIn(archive, work, async (folder, { rank, alpha, modules }) => {
    const config = {
      peft_type: 'LORA',
      r: rank,
      lora_alpha: alpha,
      target_modules: modules,
      base_model_name_or_path: base.name,
    };
    await writeFile(join(folder, ADAPTER_CONFIG_FILE), JSON.stringify(config));
    return readAdapter(folder, base.config);
  });
}

export function accountOf(archive: Buffer, work: { folder: string; what: string }): Promise<AdapterAccount> {
  return unpackedIn(archive, work, async (_folder, account) => account);
}

/** @param work the folder below which it is unpacked, and what the archive is, for messages */
async function unpackedIn<T>(
  archive: Buffer,
  { folder, what }: { folder: string; what: string },
  read: (folder: string, account: AdapterAccount) => Promise<T>,
): Promise<T> {
  const files = await filesOf(archive, [ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE], what);
  const unpacked = await mkdtemp(join(folder, 'adapter-'));
  try {
    const weights = join(unpacked, ADAPTER_WEIGHTS_FILE);
    await writeFile(weights, files.get(ADAPTER_WEIGHTS_FILE)!);
    const modules = await adaptedLayers(weights);
    const { r, lora_alpha } = parsed(files.get(ADAPTER_CONFIG_FILE)!, what);
    return await read(unpacked, { rank: r, alpha: lora_alpha, modules });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

async function adaptedLayers(weights: string): Promise<string[]> {
  const file = await SafetensorsFile.open(weights);
  try {
    const layers = [...file.entries.keys()].flatMap(name => LAYER.exec(name)?.[1] ?? []);
    return [...new Set(layers.map(lastPart))].sort();
  } finally {
    await file.close();
  }
}

function parsed(bytes: Buffer, what: string): { r: number; lora_alpha: number } {
  const json: unknown = JSON.parse(bytes.toString('utf8'));
  const { r, lora_alpha } = (json ?? {}) as Record<string, unknown>;
  if (typeof r === 'number' && typeof lora_alpha === 'number') return { r, lora_alpha };
  throw new EngineRequestError(
    `${what}: ${ADAPTER_CONFIG_FILE} has r ${JSON.stringify(r)} and lora_alpha ${JSON.stringify(lora_alpha)}; expected two numbers`,
    'bad-model',
  );
}
