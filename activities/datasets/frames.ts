/**
 * Frames (Krishna et al. 2024) with the articles its questions need: {Prompt, Answer, wiki_items: [{title, text}, …]}. The
 * questions have no ids of their own: they are named by their place.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { checked, rowsOf } from './records.js';

const recordSchema = z.object({
  Prompt: text,
  Answer: scalarText,
  wiki_items: z.preprocess(
    rowsOf,
    z
      .array(z.object({ title: z.string().nullish(), text: z.string() }), {
        error: 'expected the articles [{title, text}, …]; the set as first published has their addresses alone',
      })
      .min(1),
  ),
});

/** Every article is needed for the answer. */
export const frames: Format<unknown> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw) {
    const { Prompt, Answer, wiki_items } = checked(recordSchema, raw);
    return [
      {
        id: `frames-${raw.index}`,
        question: Prompt,
        documents: wiki_items.map(({ title, text }) => ({ title: title ?? null, text })),
        answers: [Answer],
        task: 'docqa',
        trace: null,
        evidence: wiki_items.map((_, k) => k),
      },
    ];
  },
};
