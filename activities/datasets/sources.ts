/** The kinds of data source a spec may name: one schema and one reader each, in one table. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { readHotpotqa } from './hotpotqa.js';
import { readJsonl } from './jsonl.js';
import { multihopOptions } from './multihop.js';
import { readMusique } from './musique.js';
import { DataError } from './records.js';
import type { Sample } from './sample.js';
import { readWorld, worldOptions } from './world.js';

export { DataError } from './records.js';
export type { Sample, Task } from './sample.js';

const jsonl = z.strictObject({ type: z.literal('jsonl'), path: z.string().min(1) });
const world = z.strictObject({ type: z.literal('world'), ...worldOptions });
const hotpotqa = z.strictObject({ type: z.literal('hotpotqa'), ...multihopOptions });
const twoWiki = z.strictObject({ type: z.literal('2wikimultihopqa'), ...multihopOptions });
const musique = z.strictObject({ type: z.literal('musique'), ...multihopOptions });

export const sourceSchema = z.discriminatedUnion('type', [jsonl, world, hotpotqa, twoWiki, musique]);

export type Source = z.output<typeof sourceSchema>;

type Readers = { [K in Source['type']]: (source: Extract<Source, { type: K }>) => AsyncIterable<Sample> };

const READERS: Readers = {
  jsonl: readJsonl,
  world: readWorld,
  hotpotqa: readHotpotqa,
  '2wikimultihopqa': readHotpotqa,
  musique: readMusique,
};

/** What reading needs beside the source itself. */
export interface SourceContext {
  /** Where data sets from the Hugging Face Hub are kept. */
  cacheDir: string;
  signal?: AbortSignal;
}

/** What was read: for the run's record, so that the same data can be named and recognised again. */
export interface SourceSummary {
  /** Names the very same data again: an absolute path, `hf:owner/name@<commit>/path`, or the kind of a generated source. */
  source: string;
  /** Samples given out. */
  samples: number;
  /** Records left out because they are malformed, where the source says `onMalformed: skip`. */
  skippedCount: number;
  /** The first of them (SKIPPED_SHOWN at most). */
  skipped: { where: string; problem: string }[];
  /** Every file the source has, in the order read; the hash is of the whole file, also where reading ends before its end. */
  files: { path: string; sha256: string; bytes: number }[];
}

export interface OpenedSource {
  /** To be gone through once. */
  samples: AsyncIterable<Sample>;
  /** Valid once `samples` has ended, or was left. */
  summary(): SourceSummary;
}

/**
 * The source's samples, in an order that is always the same, and what was read for them. Paths are taken as they stand.
 * Going through them throws DataError, naming file, place and field, where the data is not what its kind promises or names
 * two samples the same.
 */
export function openSource(source: Source, _context: SourceContext): OpenedSource {
  const summary: SourceSummary = {
    source: 'path' in source ? resolve(source.path) : source.type,
    samples: 0,
    skippedCount: 0,
    skipped: [],
    files: [],
  };
  async function* samples() {
    const read = READERS[source.type] as (source: Source) => AsyncIterable<Sample>;
    const ids = new Set<string>();
    for await (const sample of read(source)) {
      if (ids.has(sample.id)) {
        const where = 'path' in source ? source.path : `source ${source.type}`;
        throw new DataError(`${where}: expected every id once, found ${JSON.stringify(sample.id)} again`);
      }
      ids.add(sample.id);
      summary.samples++;
      yield sample;
    }
  }
  return { samples: samples(), summary: () => summary };
}

/** `openSource` where only the samples are wanted. */
export const readSource = (source: Source, context: SourceContext): AsyncIterable<Sample> =>
  openSource(source, context).samples;
