/**
 * Questions made of a user's own texts, without labels: families whose answers follow from the text alone. Every question is
 * a function of the texts, the seed and the options.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { randomStream } from '../../engine/random.js';
import { readRecords } from '../containers.js';
import type { DataFile } from '../data-files.js';
import { scalarText, text } from '../fields.js';
import type { Format } from '../format.js';
import { checked, type RawRecord, RecordError } from '../records.js';
import type { Document, Sample } from '../sample.js';
import type { Family } from './family.js';
import { compare, count } from './mentions.js';
import { quote } from './quote.js';
import { MOST_PIECES, reconstruct } from './reconstruct.js';

const FAMILIES = { reconstruct, quote, count, compare } satisfies Record<string, Family>;
type FamilyName = keyof typeof FAMILIES;
const NAMES = Object.keys(FAMILIES) as FamilyName[];

export const textsOptions = {
  families: z
    .array(z.enum(NAMES))
    .min(1)
    .default(NAMES)
    .describe(
      '`reconstruct`: put paragraphs back in order (arXiv 2602.08237); `quote`: what follows a quoted sentence; `count`, `compare`: how many of several texts mention a name, and which of two more do.',
    ),
  texts: z.int().min(2).default(4).meta({
    unit: 'texts',
    description:
      'Texts that a question of the last three families is about: so many that follow one another in the data.',
  }),
  questions: z.int().positive().default(1).meta({
    unit: 'questions',
    description: 'Of each family about the same texts; those that would come out the same are left out.',
  }),
  pieces: z.int().min(2).max(MOST_PIECES).default(4).meta({
    unit: 'paragraphs',
    description: 'Paragraphs that `reconstruct` takes out of a text that has more than twice as many.',
  }),
  seed: z.int().min(0).default(0).describe('Which questions, and what they are about.'),
};

interface Options {
  families: FamilyName[];
  texts: number;
  questions: number;
  pieces: number;
  seed: number;
}

const textSchema = z.object({ text, title: scalarText.nullish(), id: scalarText.nullish() });
/** So many texts that follow one another, the last group what is left. */
const groupSchema = z.object({ id: z.string(), documents: z.array(z.object({ title: z.string().nullable(), text })) });

const PLAIN = /\.(txt|md|markdown)$/i;

export const texts: Format<
  Options & { from: number; to?: number | undefined; path: string; onMalformed: 'stop' | 'skip' }
> = {
  fields: Object.keys(textSchema.shape),
  records: (files, { texts }, opened) => grouped(textRecords(files, opened), texts),
  samples(record, options) {
    const { id, documents } = checked(groupSchema, record);
    const samples = options.families.flatMap(name => ofFamily(name, id, documents, options));
    return samples.length === 0 ? null : samples;
  },
};

function ofFamily(name: FamilyName, group: string, documents: readonly Document[], options: Options): Sample[] {
  const { about, question }: Family = FAMILIES[name];
  const subjects =
    about === 'one'
      ? documents.map((document, k) => ({ id: `${group}.${k + 1}`, of: [document] }))
      : [{ id: group, of: documents }];
  return subjects.flatMap(({ id, of }) => {
    const given = new Set<string>();
    return Array.from({ length: options.questions }, (_, k): Sample | null => {
      const made = question(of, randomStream('texts', options.seed, name, id, k), options);
      if (made === null || given.has(made.question)) return null;
      given.add(made.question);
      return { id: `${id}/${name}-${options.seed}-${k + 1}`, ...made };
    }).filter(sample => sample !== null);
  });
}

/** Plain files are a text each, named by their files; of data files each record is one. */
async function* textRecords(files: DataFile[], opened: (file: DataFile) => Promise<void>): AsyncGenerator<RawRecord> {
  for (const file of files) await opened(file);
  for (const file of files) {
    if (!PLAIN.test(file.name)) yield* readRecords(file, Object.keys(textSchema.shape));
    else {
      const whole = await readFile(file.path, 'utf8');
      yield { where: file.name, index: 0, value: { text: whole.replace(/^\uFEFF/, ''), title: basename(file.name) } };
    }
  }
}

/** A malformed text is a record of its own, and no part of a group. */
async function* grouped(records: AsyncIterable<RawRecord>, size: number): AsyncGenerator<RawRecord> {
  let group: Document[] = [];
  let where = '';
  let made = 0;
  const whole = (): RawRecord => {
    const record = { where, index: made, value: { id: `texts-${++made}`, documents: group } };
    group = [];
    return record;
  };
  for await (const record of records) {
    try {
      const { text, title } = checked(textSchema, record);
      if (group.length === 0) where = record.where;
      group.push({ title: title ?? null, text });
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      yield { where: record.where, index: record.index, problem: error.problem };
    }
    if (group.length === size) yield whole();
  }
  if (group.length > 0) yield whole();
}
