/**
 * LongBench, first version (Bai et al. 2023, arXiv 2308.14508): {input, context, answers: [text, …], length, dataset, language,
 * all_classes, _id}, one file for each of its data sets or all in one. Second version (Bai et al. 2024, arXiv 2412.15204), which
 * is multiple choice: {_id, domain, sub_domain, difficulty, length, question, choice_A, …, choice_D, answer, context}.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { checked, type RawRecord } from './records.js';
import type { Sample } from './sample.js';

export const longbenchOptions = {
  subset: z.string().min(1).optional().meta({
    unlessGiven: 'all',
    description:
      'The part that is taken, as the records name it: a data set of the first version (qasper, narrativeqa, hotpotqa, 2wikimqa, musique, …), a domain, sub_domain, difficulty or length of the second (easy, hard, short, medium, long, …).',
  }),
};

const firstSchema = z.object({ _id: scalarText, input: text, context: text, answers: z.array(scalarText).min(1) });

const secondSchema = z.object({
  _id: scalarText,
  question: text,
  choice_A: scalarText,
  choice_B: scalarText,
  choice_C: scalarText,
  choice_D: scalarText,
  answer: z.enum(['A', 'B', 'C', 'D']),
  context: text,
});

interface Version {
  /** Fields that a subset may name. */
  parts: readonly string[];
  sample(raw: RawRecord): Sample;
}

const first: Version = {
  parts: ['dataset'],
  sample(raw) {
    const { _id, input, context, answers } = checked(firstSchema, raw);
    return { ...common(_id, context), question: input, answers, task: 'docqa' };
  },
};

const second: Version = {
  parts: ['domain', 'sub_domain', 'difficulty', 'length'],
  sample(raw) {
    const record = checked(secondSchema, raw);
    const options = (['A', 'B', 'C', 'D'] as const).map(letter => `(${letter}) ${record[`choice_${letter}`]}`);
    const question = `${record.question}\nChoices:\n${options.join('\n')}`;
    return { ...common(record._id, record.context), question, answers: [record.answer], task: 'choice' };
  },
};

/** The context is one document, as the set has it. */
const common = (id: string, context: string) => ({
  id,
  documents: [{ title: null, text: context }],
  trace: null,
  evidence: null,
});

/** Which version a record is of is told by its fields. */
export const longbench: Format<{ subset?: string | undefined }> = {
  fields: [...Object.keys(firstSchema.shape), ...Object.keys(secondSchema.shape)],
  samples(raw, { subset }) {
    const fields = checked(z.record(z.string(), z.unknown()), raw);
    const version = 'choice_A' in fields ? second : first;
    // Other data sets' records have other fields empty: a summary, say, answers no question.
    if (subset !== undefined && !version.parts.some(part => fields[part] === subset)) {
      if (version.parts.some(part => typeof fields[part] === 'string')) return null;
      checked(z.object({ [version.parts[0]!]: z.string() }), raw);
    }
    return [version.sample(raw)];
  },
};
