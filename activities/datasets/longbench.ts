/**
 * LongBench, first version (Bai et al. 2023): {input, context, answers: [text, …], length, dataset, language, all_classes,
 * _id}, one file for each of its data sets or all in one.
 */
import { z } from 'zod';
import type { Format } from './format.js';
import { checked } from './records.js';

export const longbenchOptions = {
  subset: z.string().min(1).optional().meta({
    unlessGiven: 'all',
    description:
      'The one data set that is taken, as the records name it: qasper, narrativeqa, hotpotqa, 2wikimqa, musique, …',
  }),
};

const nameSchema = z.object({ dataset: z.string() });

const recordSchema = z.object({
  _id: z.string().min(1),
  input: z.string().min(1),
  context: z.string().min(1),
  answers: z.array(z.string().min(1)).min(1),
});

/** The context is one document, as the set has it. */
export const longbench: Format<{ subset?: string | undefined }> = {
  samples(raw, { subset }) {
    // Other data sets' records have other fields empty: a summary, say, answers no question.
    if (subset !== undefined && checked(nameSchema, raw).dataset !== subset) return null;
    const record = checked(recordSchema, raw);
    return [
      {
        id: record._id,
        question: record.input,
        documents: [{ title: null, text: record.context }],
        answers: record.answers,
        task: 'docqa',
        trace: null,
        evidence: null,
      },
    ];
  },
};
