/**
 * AdamW's state beside a model: optimizer.safetensors with the two moments of every tensor, `m.<name>` and `v.<name>`,
 * and the number of steps taken in the header's metadata.
 */
import { join } from 'node:path';
import {
  exists,
  type Fingerprint,
  SafetensorsFile,
  syncDirectory,
  type Tensor,
  type Tensors,
  writeSafetensors,
} from '../files/index.js';
import { EngineRequestError } from '../protocol/index.js';

export const OPTIMIZER_FILE = 'optimizer.safetensors';

export interface OptimizerState {
  /** Updates taken so far. */
  step: number;
  /** First and second moments, by the tensor's name and in its shape. */
  m: Tensors;
  v: Tensors;
}

/** Whether the folder holds an optimiser's state. */
export function hasOptimizer(directory: string): Promise<boolean> {
  return exists(join(directory, OPTIMIZER_FILE));
}

/**
 * @param shapes of the model's tensors (`expectedTensors(config)`): the state must hold moments of just these.
 * @throws EngineRequestError (bad-model) naming the moment that is missing, mis-shaped or unexpected.
 */
export async function readOptimizer(
  directory: string,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<OptimizerState> {
  const path = join(directory, OPTIMIZER_FILE);
  if (!(await hasOptimizer(directory))) {
    throw new EngineRequestError(`${path}: does not exist; expected the state of an optimiser`, 'bad-model');
  }
  const file = await SafetensorsFile.open(path);
  try {
    const step = Number(file.metadata.step);
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new EngineRequestError(
        `${path}: metadata.step is '${file.metadata.step}'; expected a count of steps`,
        'bad-model',
      );
    }
    const state: OptimizerState = { step, m: new Map(), v: new Map() };
    for (const moment of ['m', 'v'] as const) {
      for (const [name, shape] of shapes) {
        const entry = file.entries.get(`${moment}.${name}`);
        if (entry?.shape.join() !== shape.join()) {
          const found = entry ? `has shape [${entry.shape}]` : 'is missing';
          throw new EngineRequestError(
            `${path}: tensor '${moment}.${name}' ${found}; expected shape [${shape}]`,
            'bad-model',
          );
        }
        state[moment].set(name, await file.read(`${moment}.${name}`));
      }
    }
    for (const key of file.entries.keys()) {
      if (shapes.has(key.slice(2)) && /^[mv]\./.test(key)) continue;
      throw new EngineRequestError(`${path}: tensor '${key}' belongs to no tensor of the model`, 'bad-model');
    }
    return state;
  } finally {
    await file.close();
  }
}

/** Writes the state into an existing folder, flushed to the disk. */
export async function writeOptimizer(directory: string, state: OptimizerState): Promise<Fingerprint> {
  const tensors = new Map<string, Tensor>();
  for (const moment of ['m', 'v'] as const) {
    for (const [name, tensor] of state[moment]) tensors.set(`${moment}.${name}`, tensor);
  }
  const fingerprint = await writeSafetensors(join(directory, OPTIMIZER_FILE), tensors, { step: String(state.step) });
  await syncDirectory(directory);
  return fingerprint;
}
