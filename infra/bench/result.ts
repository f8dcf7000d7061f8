/** What a run of the benchmark found, as it is written to a file and read again to be compared with. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../user-error.js';

/** Names of sides that are no peers: this build's, and that of the commit which it is measured against. */
export const OURS = 'ours';
export const AGAINST = 'against';

const measurement = z.object({
  /** Of each repetition after the warm-up. */
  seconds: z.array(z.number().positive()).min(1),
  median: z.number().positive(),
  /** Largest resident memory of the side's process; null where the system does not tell. */
  peakBytes: z.number().positive().nullable(),
  /** Processor time per second used while it was another side's turn; null where the system does not tell. */
  idleLoad: z.number().min(0).nullable(),
  /** The same, used by processes that take no part, while it was this side's turn. */
  foreignLoad: z.number().min(0).nullable(),
  /** What its first turn computed, to be held against the other sides' (Evidence in side.ts). */
  gradNorm: z.number().optional(),
  weights: z.string().optional(),
});

const rowResult = z.object({
  /** Absent when the row failed. */
  ours: measurement.optional(),
  /** By name; a text says why there is no measurement. */
  peers: z.record(z.string(), z.union([measurement, z.string()])),
  /** Why the row failed. */
  failure: z.string().optional(),
});

const resultSchema = z.object({
  format: z.literal('longhaul-bench-engine-1'),
  /** The code's version, from package.json. */
  version: z.string(),
  date: z.string(),
  machine: z.object({ processor: z.string(), cores: z.number(), memoryBytes: z.number(), platform: z.string() }),
  threads: z.number(),
  /** Of everything that took part: node, onnxruntime, and with peers python and its packages. */
  versions: z.record(z.string(), z.string()),
  /** The commit whose build took turns with this one, where there was one: the rows' peer `against`. */
  against: z.string().optional(),
  /** Seconds of a plain matrix product (calibration.ts), measured before each row. */
  calibration: z.object({ seconds: z.array(z.number().positive()).min(1), median: z.number().positive() }),
  rows: z.record(z.string(), rowResult),
});

export type Measurement = z.infer<typeof measurement>;
export type RowResult = z.infer<typeof rowResult>;
export type Result = z.infer<typeof resultSchema>;

/** @throws UserError when the file is no result of this benchmark */
export async function readResult(path: string): Promise<Result> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UserError(`${path}: cannot be read (${error.message}); --save FILE writes such a file.`);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: is no JSON (${(error as Error).message}).`);
  }
  const checked = resultSchema.safeParse(content);
  if (checked.success) return checked.data;
  const { path: where, message } = checked.error.issues[0]!;
  throw new UserError(`${path}: ${where.join('.')}: ${message}; expected what --save FILE writes.`);
}

export async function writeResult(path: string, result: Result): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
}
