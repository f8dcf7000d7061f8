/** What a kind of data source that lies in files has of its own, and the options all of them share. */
import { z } from 'zod';
import type { DataFile } from './data-files.js';
import type { RawRecord } from './records.js';
import type { Sample } from './sample.js';

export const fileOptions = {
  path: z
    .string()
    .min(1)
    .describe(
      'A file, a folder, a name with `*` in a folder, or any of these on the Hub: `hf:owner/name[@revision]/path`.',
    ),
  from: z
    .int()
    .min(0)
    .default(0)
    .meta({ unit: 'records', description: 'The first record taken, from 0: disjoint ranges share no record.' }),
  to: z
    .int()
    .positive()
    .optional()
    .meta({ unit: 'records', unlessGiven: 'to the end', description: 'The first record no longer taken.' }),
  onMalformed: z
    .enum(['stop', 'skip'])
    .default('stop')
    .describe('A malformed record ends the run, or is left out and counted.'),
};

export interface FileOptions {
  path: string;
  from: number;
  to?: number | undefined;
  onMalformed: 'stop' | 'skip';
}

export interface Format<Options> {
  /**
   * The samples a record makes; null where the kind itself leaves the record out (an unanswerable question, another subset).
   * Throws RecordError.
   */
  samples(record: RawRecord, options: Options): Iterable<Sample> | null;
  /** Names of fields that a record of the kind has: what tells a table of columns from records by name. */
  fields: readonly string[];
  /** Those of them that are texts, where the user hears of other values there and of further fields: published kinds have many. */
  texts?: readonly string[];
  /**
   * Where files hold more than records one after another.
   * @param opened to be called with every file before it is read
   */
  records?(files: DataFile[], options: Options, opened: (file: DataFile) => Promise<void>): AsyncIterable<RawRecord>;
}
