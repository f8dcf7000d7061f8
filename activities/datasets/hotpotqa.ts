/**
 * HotpotQA, distractor setting (Yang et al. 2018), and 2WikiMultihopQA (Ho et al. 2020), which took over its layout: an
 * array of {_id, question, answer, context: [[title, [sentence, …]], …], supporting_facts: [[title, sentence index], …]}.
 * On the Hub: Parquet of {id, …, context: {title: [], sentences: []}, supporting_facts: {title: [], sent_id: []}}, lists of
 * such structs, or the original lists as JSON text.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { type MultihopOptions, multihopSamples } from './multihop.js';
import { checked, rowsOf } from './records.js';

/** Pairs, whichever way they are stored; fields are taken by the first of the names that is there. */
const pairs = <T extends z.ZodType>(second: T, names: string[]) =>
  z.preprocess(
    stored => {
      const rows = rowsOf(typeof stored === 'string' ? fromJson(stored) : stored);
      if (!Array.isArray(rows)) return rows;
      return rows.map((row: unknown) => {
        if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
        const fields = row as Record<string, unknown>;
        return [fields.title, fields[names.find(name => name in fields) ?? names[0]!]];
      });
    },
    z.array(z.tuple([z.string(), second])),
  );

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const recordSchema = z
  .object({
    _id: scalarText.optional(),
    id: scalarText.optional(),
    question: text,
    answer: scalarText,
    context: pairs(z.array(z.string()), ['sentences', 'content']).refine(
      list => list.length > 0,
      'expected paragraphs',
    ),
    supporting_facts: pairs(z.int().min(0), ['sent_id', 'sentence_index']),
  })
  .refine(record => (record._id ?? record.id) !== undefined, { path: ['_id'], error: 'expected an id' });

/** Traces are the supporting sentences in the order the record names them. */
export const hotpotqa: Format<MultihopOptions> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw, options) {
    const record = checked(recordSchema, raw);
    const gold = new Set(record.supporting_facts.map(([title]) => title));
    const sentences = new Map(record.context);
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
        // A few official records name sentences their context does not have: what is there makes the trace.
        reasoning: record.supporting_facts
          .map(([title, index]) => sentences.get(title)?.[index]?.trim() ?? '')
          .filter(sentence => sentence !== '')
          .join(' '),
      },
      options,
    );
  },
};
