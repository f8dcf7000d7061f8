/**
 * DocMath-Eval (Zhao et al. 2024): {question_id, question, paragraphs: [text or table, …], table_evidence: [index, …],
 * paragraph_evidence: [index, …], ground_truth}. The test splits hide their ground truth: the testmini splits have it.
 */
import { z } from 'zod';
import type { Format } from './format.js';
import { checked, RecordError } from './records.js';

const places = z.array(z.int().min(0)).nullish();

const recordSchema = z.object({
  question_id: z.string().min(1),
  question: z.string().min(1),
  paragraphs: z.array(z.string()).min(1),
  table_evidence: places,
  paragraph_evidence: places,
  ground_truth: z.union([z.number(), z.boolean(), z.string().min(1)], {
    error: 'expected the answer, which the test splits hide: take a testmini split',
  }),
});

/** Each paragraph is a document. A boolean answer reads True or False, as the official programs print it. */
export const docmath: Format<unknown> = {
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
        documents: paragraphs.map(text => ({ title: null, text })),
        answers: [typeof answer === 'boolean' ? (answer ? 'True' : 'False') : String(answer)],
        task: 'docmath',
        trace: null,
        evidence: given.length === 0 ? null : evidence,
      },
    ];
  },
};
