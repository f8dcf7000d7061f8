/**
 * MuSiQue (Trivedi et al. 2022), one record a line or in an array: {id, question, answer, answer_aliases, paragraphs: [{title,
 * paragraph_text, is_supporting}, …], question_decomposition: [{question, answer}, …]} where "#1" stands for step 1's answer.
 */
import { z } from 'zod';
import { inRange, type MultihopOptions, multihopSamples } from './multihop.js';
import { checked, readJsonRecords } from './records.js';
import type { Sample } from './sample.js';

const recordSchema = z.object({
  id: z.string().min(1),
  question: z.string().min(1),
  answer: z.string().min(1),
  answer_aliases: z.array(z.string().min(1)).default([]),
  paragraphs: z.array(z.object({ title: z.string(), paragraph_text: z.string(), is_supporting: z.boolean() })).min(1),
  question_decomposition: z.array(z.object({ question: z.string(), answer: z.string() })),
});

/** Traces are the decomposition's questions, each with its answer. Throws DataError on a malformed record. */
export async function* readMusique(source: MultihopOptions & { path: string }): AsyncGenerator<Sample> {
  for await (const raw of readJsonRecords(source.path)) {
    if (source.to !== undefined && raw.index >= source.to) return;
    if (!inRange(raw.index, source)) continue;
    const record = checked(recordSchema, raw);
    const steps = record.question_decomposition;
    const resolved = (question: string): string =>
      question.replaceAll(/#(\d+)/g, (mark, number: string) => steps[Number(number) - 1]?.answer ?? mark);
    yield* multihopSamples(
      {
        id: record.id,
        question: record.question,
        answers: [record.answer, ...record.answer_aliases],
        paragraphs: record.paragraphs.map(p => ({ title: p.title, text: p.paragraph_text, gold: p.is_supporting })),
        reasoning: steps.map(step => `${resolved(step.question).trim()} ${step.answer}.`).join(' '),
      },
      source,
    );
  }
}
