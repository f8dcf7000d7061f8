/**
 * A user's own questions, one JSON object a line, or rows of any other container: {id?, question, documents | context, answers | answer, trace?, task?,
 * evidence?}. `documents` is a list of texts or of {title?, text}; `context` is one text; `evidence` are the places, from 0, of
 * the documents that the answer rests on.
 */
import { z } from 'zod';
import type { Format } from './format.js';
import { checked } from './records.js';
import { TASKS } from './sample.js';

const text = z.string().min(1);

const recordSchema = z
  .strictObject({
    id: text.optional(),
    question: text,
    documents: z
      .array(z.union([text, z.strictObject({ title: z.string().nullable().default(null), text })]))
      .optional(),
    context: text.optional(),
    answers: z.array(text).min(1).optional(),
    answer: text.optional(),
    trace: text.nullable().default(null),
    evidence: z.array(z.int().min(0)).nullable().default(null),
    task: z.enum(TASKS).default('docqa'),
  })
  .refine(r => (r.documents === undefined) !== (r.context === undefined), 'expected one of "documents" and "context"')
  .refine(r => (r.answers === undefined) !== (r.answer === undefined), 'expected one of "answers" and "answer"');

/** A record without an id is named by its place. */
export const jsonl: Format<unknown> = {
  samples(raw) {
    const record = checked(recordSchema, raw);
    return [
      {
        id: record.id ?? `record-${raw.index + 1}`,
        question: record.question,
        documents: (record.documents ?? [record.context!]).map(d =>
          typeof d === 'string' ? { title: null, text: d } : d,
        ),
        answers: record.answers ?? [record.answer!],
        task: record.task,
        trace: record.trace,
        evidence: record.evidence,
      },
    ];
  },
};
