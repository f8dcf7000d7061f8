/** How far two engines' weights and log-probabilities are apart. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SafetensorsFile } from '../../../activities/engine/files/index.js';
import { ADAPTER_WEIGHTS_FILE } from '../../../activities/engine/folders/index.js';
import type { Engine } from '../../../activities/engine/protocol/index.js';

type Flat = Float32Array;

let saves = 0;

/** The adapter's weights, as the engine saves them, in the order of their names. */
export async function weights(engine: Engine, { folder }: { folder: string }): Promise<Flat> {
  const directory = join(folder, `weights-${process.pid}-${++saves}`);
  await mkdir(folder, { recursive: true });
  await engine.call('save', { directory, withOptimizer: false });
  const file = await SafetensorsFile.open(join(directory, ADAPTER_WEIGHTS_FILE));
  try {
    const parts: number[] = [];
    for (const name of [...file.entries.keys()].sort())
      for (const value of (await file.read(name)).data) parts.push(value);
    return Float32Array.from(parts);
  } finally {
    await file.close();
  }
}

/** |a - b| over |b - before|, as vectors. */
export function apart(before: Flat, a: Flat, b: Flat): number {
  const norm = (of: (i: number) => number) => Math.sqrt(b.reduce((sum, _, i) => sum + of(i) ** 2, 0));
  return norm(i => a[i]! - b[i]!) / norm(i => b[i]! - before[i]!);
}

export const flat = (values: (number | null)[][]): number[] => values.flatMap(row => row.slice(1) as number[]);

export const largest = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i]!)), 0) : Number.POSITIVE_INFINITY;
