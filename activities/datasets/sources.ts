/** The kinds of data source a spec may name: one schema and one reader each, in one table. */
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

/**
 * The source's samples, in an order that is always the same. Paths are taken as they stand. Throws DataError, naming file,
 * place and field, where the data is not what its kind promises or names two samples the same.
 */
export async function* readSource(source: Source): AsyncGenerator<Sample> {
  const read = READERS[source.type] as (source: Source) => AsyncIterable<Sample>;
  const ids = new Set<string>();
  for await (const sample of read(source)) {
    if (ids.has(sample.id)) {
      const where = 'path' in source ? source.path : `source ${source.type}`;
      throw new DataError(`${where}: expected every id once, found ${JSON.stringify(sample.id)} again`);
    }
    ids.add(sample.id);
    yield sample;
  }
}
