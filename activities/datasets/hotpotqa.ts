/**
 * HotpotQA, distractor setting (Yang et al. 2018): an array of {_id, question, answer, context: [[title, [sentence, …]], …],
 * supporting_facts: [[title, sentence index], …]}. On the Hub: Parquet of {id, …, context: {title: [], sentences: []},
 * supporting_facts: {title: [], sent_id: []}}, lists of such structs, or the original lists as JSON text.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { type MultihopOptions, multihopSamples } from './multihop.js';
import { checked, rowsOf } from './records.js';

/**
 * Tuples, whichever way they are stored.
 * @param names of each place, where a tuple is stored as fields: the first of them that is there
 */
export const tuples = <T extends z.ZodType>(tuple: T, names: string[][]) =>
  z.preprocess(stored => {
    const rows = rowsOf(typeof stored === 'string' ? fromJson(stored) : stored);
    if (!Array.isArray(rows)) return rows;
    return rows.map((row: unknown) => {
      if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
      const fields = row as Record<string, unknown>;
      return names.map(place => fields[place.find(name => name in fields) ?? place[0]!]);
    });
  }, z.array(tuple));

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The fields of a record in HotpotQA's layout. */
export const layout = {
  _id: scalarText.optional(),
  id: scalarText.optional(),
  question: text,
  answer: scalarText,
  context: tuples(z.tuple([z.string(), z.array(z.string())]), [['title'], ['sentences', 'content']]).refine(
    list => list.length > 0,
    'expected paragraphs',
  ),
  supporting_facts: tuples(z.tuple([z.string(), z.int().min(0)]), [['title'], ['sent_id', 'sentence_index']]),
};
const layoutSchema = z.object(layout);
export type LayoutRecord = z.output<typeof layoutSchema>;

/** @param reasoning what the trace of a record says before its conclusion */
export function formatOf<R extends LayoutRecord>(
  schema: z.ZodObject & z.ZodType<R>,
  reasoning: (record: R) => string,
): Format<MultihopOptions> {
  const recordSchema = schema.refine(record => (record._id ?? record.id) !== undefined, {
    path: ['_id'],
    error: 'expected an id',
  });
  return {
    fields: Object.keys(schema.shape),
    samples(raw, options) {
      const record = checked(recordSchema, raw) as R;
      const gold = new Set(record.supporting_facts.map(([title]) => title));
      return multihopSamples(
        {
          id: (record._id ?? record.id)!,
          question: record.question,
          answers: [record.answer],
          paragraphs: record.context.map(([title, text]) => ({
            title,
            text: text.map(sentence => sentence.trim()).join(' '),
            gold: gold.has(title),
          })),
          reasoning: reasoning(record),
        },
        options,
      );
    },
  };
}

/**
 * The supporting sentences in the order the record names them. A few official records name sentences their context does not
 * have: what is there is given.
 */
export function supportingSentences({ context, supporting_facts }: LayoutRecord): string {
  const sentences = new Map(context);
  return supporting_facts
    .map(([title, index]) => sentences.get(title)?.[index]?.trim() ?? '')
    .filter(sentence => sentence !== '')
    .join(' ');
}

/** Traces are the supporting sentences. */
export const hotpotqa = formatOf(layoutSchema, supportingSentences);
