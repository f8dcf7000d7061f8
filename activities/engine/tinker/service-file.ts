/**
 * The small file that makes a folder a policy of a training service: of a base it says what the service calls the model, of
 * an adapter also where the service keeps its weights with the optimiser's state, so that `load` can have them back.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exists, writeSynced } from '../files/index.js';
import { EngineRequestError } from '../protocol/index.js';

export const SERVICE_FILE = 'tinker.json';

const schema = z.strictObject({
  /** The model beneath, as the service calls it. */
  served: z.string().min(1),
  /** Of an adapter: where it is kept there, with the optimiser's state. */
  checkpoint: z
    .strictObject({ path: z.string().min(1), service: z.string(), rank: z.int().positive(), step: z.int().min(0) })
    .optional(),
});

export type ServiceFile = z.output<typeof schema>;

/** Null where the folder holds none. @throws EngineRequestError for one that cannot be read */
export async function readServiceFile(directory: string): Promise<ServiceFile | null> {
  const path = join(directory, SERVICE_FILE);
  if (!(await exists(path))) return null;
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new EngineRequestError(`${path}: cannot be read: ${(error as Error).message}`, 'bad-model');
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const issues = read.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`);
  throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
}

/** @returns its bytes as they were written */
export async function writeServiceFile(directory: string, file: ServiceFile): Promise<Buffer> {
  const bytes = Buffer.from(`${JSON.stringify(file, null, 1)}\n`);
  await writeSynced(join(directory, SERVICE_FILE), bytes);
  return bytes;
}
