/**
 * The weights of a Hugging Face folder as one table of tensors, whether they lie in model.safetensors or in shards that
 * model.safetensors.index.json lists. The single file wins where both are there, as in transformers.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EngineRequestError } from '../protocol/index.js';
import { exists } from './files.js';
import { SafetensorsFile, type Tensor } from './safetensors.js';
import type { TensorEntry } from './safetensors-header.js';

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** Open weights: what is there is known at once, each tensor is read when asked for. */
export class Weights {
  private constructor(
    private readonly files: SafetensorsFile[],
    private readonly fileOf: ReadonlyMap<string, SafetensorsFile>,
  ) {}

  /** @throws EngineRequestError (bad-model) naming the file and what is wrong with it. */
  static async open(directory: string): Promise<Weights> {
    if (await exists(join(directory, WEIGHTS_FILE))) {
      const file = await SafetensorsFile.open(join(directory, WEIGHTS_FILE));
      return new Weights([file], new Map([...file.entries.keys()].map(name => [name, file])));
    }
    if (await exists(join(directory, INDEX_FILE))) return Weights.openShards(directory);
    throw new EngineRequestError(
      `${directory}: holds neither ${WEIGHTS_FILE} nor ${INDEX_FILE}; expected a Hugging Face model folder with safetensors weights`,
      'bad-model',
    );
  }

  private static async openShards(directory: string): Promise<Weights> {
    const indexPath = join(directory, INDEX_FILE);
    const weightMap = await readIndex(indexPath);
    const shards = new Map<string, SafetensorsFile>();
    try {
      for (const shard of [...new Set(weightMap.values())].sort()) {
        shards.set(shard, await openShard(indexPath, directory, shard));
      }
      for (const [name, shard] of weightMap) {
        if (!shards.get(shard)!.entries.has(name)) {
          throw new EngineRequestError(
            `${indexPath}: says tensor '${name}' is in ${shard}, which does not hold it`,
            'bad-model',
          );
        }
      }
      for (const [shard, file] of shards) {
        for (const name of file.entries.keys()) {
          if (weightMap.get(name) === shard) continue;
          throw new EngineRequestError(
            `${file.path}: holds tensor '${name}', which ${INDEX_FILE} does not place there`,
            'bad-model',
          );
        }
      }
    } catch (error) {
      await Promise.all([...shards.values()].map(file => file.close()));
      throw error;
    }
    return new Weights(
      [...shards.values()],
      new Map([...weightMap].map(([name, shard]) => [name, shards.get(shard)!])),
    );
  }

  get names(): string[] {
    return [...this.fileOf.keys()];
  }

  /** Shape and dtype of a tensor, or undefined where there is none of that name. */
  entry(name: string): TensorEntry | undefined {
    return this.fileOf.get(name)?.entries.get(name);
  }

  /** As 32-bit floats; see SafetensorsFile.read. The name must be one of `names`. */
  read(name: string): Promise<Tensor> {
    return this.fileOf.get(name)!.read(name);
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map(file => file.close()));
  }
}

/** The index's table: tensor name to the file that holds it. */
export async function readIndex(indexPath: string): Promise<Map<string, string>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(indexPath, 'utf8'));
  } catch (error) {
    throw new EngineRequestError(
      `${indexPath}: cannot be read: ${error instanceof Error ? error.message : error}`,
      'bad-model',
    );
  }
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) {
    throw new EngineRequestError(`${indexPath}: expected {"weight_map": {"<tensor>": "<file>"}}`, 'bad-model');
  }
  return new Map(Object.entries(parsed.data.weight_map));
}

async function openShard(indexPath: string, directory: string, shard: string): Promise<SafetensorsFile> {
  if (shard !== basename(shard) || !shard.endsWith('.safetensors')) {
    throw new EngineRequestError(
      `${indexPath}: names the file '${shard}'; expected a .safetensors file in the same folder`,
      'bad-model',
    );
  }
  if (!(await exists(join(directory, shard)))) {
    throw new EngineRequestError(`${indexPath}: names ${shard}, which is not in the folder: fetch it too`, 'bad-model');
  }
  return SafetensorsFile.open(join(directory, shard));
}
