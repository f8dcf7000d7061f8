/**
 * MuSiQue (Trivedi et al. 2022), one record a line or in an array: {id, question, answer, answer_aliases, answerable,
 * paragraphs: [{title, paragraph_text, is_supporting}, …], question_decomposition: [{question, answer}, …]} where "#1" stands
 * for step 1's answer. MuSiQue-Full's unanswerable questions are left out: their paragraphs do not support the answer that
 * they name, and each shares its id with the answerable one it was made from.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { type MultihopOptions, multihopSamples } from './multihop.js';
import { checked, rowsOf } from './records.js';

const recordSchema = z.object({
  id: scalarText,
  question: text,
  answer: scalarText,
  answer_aliases: z.array(scalarText).default([]),
  answerable: z.boolean().default(true),
  paragraphs: z.preprocess(
    rowsOf,
    z.array(z.object({ title: z.string(), paragraph_text: z.string(), is_supporting: z.boolean() })).min(1),
  ),
  question_decomposition: z.preprocess(rowsOf, z.array(z.object({ question: z.string(), answer: scalarText }))),
});

/** Traces are the decomposition's questions, each with its answer. */
export const musique: Format<MultihopOptions> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw, options) {
    const record = checked(recordSchema, raw);
    if (!record.answerable) return null;
    const steps = record.question_decomposition;
    const resolved = (question: string): string =>
      question.replaceAll(/#(\d+)/g, (mark, number: string) => steps[Number(number) - 1]?.answer ?? mark);
    return multihopSamples(
      {
        id: record.id,
        question: record.question,
        answers: [record.answer, ...record.answer_aliases],
        paragraphs: record.paragraphs.map(p => ({ title: p.title, text: p.paragraph_text, gold: p.is_supporting })),
        reasoning: steps.map(step => `${resolved(step.question).trim()} ${step.answer}.`).join(' '),
      },
      options,
    );
  },
};
