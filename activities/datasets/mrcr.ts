/**
 * MRCR as OpenAI has published it (after Vodrahalli et al. 2024, arXiv 2409.12640): a long conversation in which several
 * requests are alike, and one of the replies is to be given again, behind a mark: {prompt: [{role, content}, …],
 * answer, random_string_to_prepend, n_needles, …}. The conversation is given as one text, which may be cut or read in chunks.
 */
import { z } from 'zod';
import { MARK_END } from './answer-parts.js';
import { listOf, text } from './fields.js';
import type { Format } from './format.js';
import { checked, RecordError, rowsOf } from './records.js';

export const mrcrOptions = {
  needles: z.array(z.int().positive()).min(1).optional().meta({
    unit: 'requests',
    unlessGiven: 'all',
    description: 'Takes the records with so many requests that are alike: 2, 4 and 8 as published.',
  }),
};

const recordSchema = z.object({
  prompt: z.preprocess(
    value => rowsOf(listOf(value)),
    z
      .array(z.object({ role: z.enum(['user', 'assistant', 'system']), content: z.string() }))
      .min(2, 'expected a conversation and, as its last message, the question'),
  ),
  answer: text,
  random_string_to_prepend: text,
  n_needles: z.int().positive(),
});

const TEMPLATE =
  'Here is a conversation between a user and an assistant.\n\n<conversation>\n{document}\n</conversation>\n\n' +
  'Reply to the last thing that the user asks:\n\n{question}';

const SPEAKERS = { user: 'User', assistant: 'Assistant', system: 'System' };

export const mrcr: Format<{ needles?: number[] | undefined }> = {
  fields: [...Object.keys(recordSchema.shape), 'desired_msg_index', 'total_messages', 'n_chars', 'date_added'],
  samples(raw, { needles }) {
    const record = checked(recordSchema, raw);
    if (needles && !needles.includes(record.n_needles)) return null;
    const { answer, random_string_to_prepend: mark } = record;
    if (!answer.startsWith(mark) || mark.includes(MARK_END)) {
      throw new RecordError(raw.where, 'field answer: expected it to begin with random_string_to_prepend, on one line');
    }
    const before = record.prompt.slice(0, -1).map(({ role, content }) => `${SPEAKERS[role]}: ${content}`);
    return [
      {
        id: `mrcr-${raw.index}`,
        question: record.prompt.at(-1)!.content,
        documents: [{ title: null, text: before.join('\n\n') }],
        answers: [`${mark}${MARK_END}${answer.slice(mark.length)}`],
        task: 'docqa',
        trace: null,
        evidence: null,
        template: TEMPLATE,
      },
    ];
  },
};
