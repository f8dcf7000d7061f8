/**
 * DocMath-Eval (Zhao et al. 2024): {question_id, question, paragraphs: [text or table, …], table_evidence: [index, …],
 * paragraph_evidence: [index, …], ground_truth}. The test splits hide their ground truth: the testmini splits have it.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError } from './records.js';

const places = z.array(z.int().min(0)).nullish();

const recordSchema = z.object({
  question_id: scalarText,
  question: text,
  paragraphs: z.array(z.string()).min(1),
  table_evidence: places,
  paragraph_evidence: places,
  ground_truth: z
    .unknown()
    .refine(value => value !== undefined && value !== null, {
      error: 'expected the answer, which the test splits hide: take a testmini split',
      abort: true,
    })
    .pipe(scalarText),
});

/** Each paragraph is a document. */
export const docmath: Format<unknown> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw) {
    const record = checked(recordSchema, raw);
    const { paragraphs, ground_truth: answer } = record;
    const given = [record.table_evidence, record.paragraph_evidence].filter(
      list => list !== null && list !== undefined,
    );
    const evidence = [...new Set(given.flat())].sort((a, b) => a - b);
    const beyond = evidence.find(place => place >= paragraphs.length);
    if (beyond !== undefined) {
      throw new RecordError(raw.where, `evidence ${beyond}: expected one of ${paragraphs.length} paragraphs, from 0`);
    }
    return [
      {
        id: record.question_id,
        question: record.question,
        documents: paragraphs.map(paragraph => ({ title: null, text: paragraph })),
        answers: [answer],
        task: 'docmath',
        trace: null,
        evidence: given.length === 0 ? null : evidence,
      },
    ];
  },
};
