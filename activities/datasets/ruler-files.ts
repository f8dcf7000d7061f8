/**
 * RULER's tasks as its scripts write them (Hsieh et al. 2024, arXiv 2404.06654): {index, input, outputs: [text, …], length},
 * where the input is the whole prompt, its question in the last line.
 */
import { z } from 'zod';
import { ANSWER_SEPARATOR } from './answer-parts.js';
import { answerTexts, text } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError } from './records.js';

export const rulerFilesOptions = {
  outputs: z
    .enum(['all', 'any'])
    .default('all')
    .describe(
      'Whether all outputs are to be found or, as in the question answering tasks, any: then the metric is ruler-qa.',
    ),
};

const recordSchema = z.object({ input: text, outputs: answerTexts });

export const rulerFiles: Format<{ outputs: 'all' | 'any' }> = {
  fields: [...Object.keys(recordSchema.shape), 'index', 'length', 'answer_prefix', 'token_position_answer'],
  samples(raw, { outputs: which }) {
    const { input, outputs } = checked(recordSchema, raw);
    if (which === 'all' && outputs.some(output => output.includes(ANSWER_SEPARATOR))) {
      throw new RecordError(
        raw.where,
        'field outputs: expected none with a comma and a blank, where all are to be found',
      );
    }
    const prompt = input.trimEnd();
    const line = prompt.lastIndexOf('\n');
    if (line < 0) throw new RecordError(raw.where, 'field input: expected the question in a line of its own, the last');
    return [
      {
        id: `ruler-${raw.index}`,
        question: prompt.slice(line + 1),
        documents: [{ title: null, text: prompt.slice(0, line) }],
        answers: which === 'any' ? outputs : [outputs.join(ANSWER_SEPARATOR)],
        task: 'docqa',
        trace: null,
        evidence: null,
        template: '{document}\n{question}',
      },
    ];
  },
};
