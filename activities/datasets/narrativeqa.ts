/**
 * NarrativeQA (Kočiský et al. 2018): questions on books and film scripts, or on their summaries. Either the Hub's records,
 * {document: {id, summary: {text, title}, text}, question: {text}, answers: [{text}, …]}, or the folder from GitHub, with
 * documents.csv, qaps.csv, third_party/wikipedia/summaries.csv and, once its script has fetched them, tmp/<id>.content.
 */
import { z } from 'zod';
import { scalarText, text } from './fields.js';
import type { Format } from './format.js';
import { narrativeqaFolder } from './narrativeqa-folder.js';
import { checked, DataError, rowsOf } from './records.js';

export const narrativeqaOptions = {
  use: z
    .enum(['story', 'summary'])
    .default('story')
    .describe('What the question is asked of: the whole text, or its summary.'),
  split: z.enum(['train', 'valid', 'test']).optional().meta({
    unlessGiven: 'all',
    description: 'Questions of the GitHub folder that are taken; the Hub’s files are of one split each.',
  }),
};

export interface NarrativeqaOptions {
  use: 'story' | 'summary';
  split?: 'train' | 'valid' | 'test' | undefined;
}

const texts = z.preprocess(rowsOf, z.array(z.object({ text: scalarText })).min(1));

const recordSchema = z.object({
  document: z.object({
    id: scalarText,
    text: z.string().optional(),
    summary: z.object({ text: z.string().optional(), title: z.string().optional() }).optional(),
    /** The GitHub folder's alone. */
    split: z.string().optional(),
  }),
  question: z.object({ text }),
  answers: texts,
});

/** The text is taken as it lies there: books with their licence, scripts in HTML. */
export const narrativeqa: Format<NarrativeqaOptions> = {
  fields: Object.keys(recordSchema.shape),
  samples(raw, { use, split }) {
    const record = checked(recordSchema, raw);
    const { document } = record;
    if (split !== undefined) {
      if (document.split === undefined) {
        throw new DataError(`${raw.where}: expected no "split": these records name none; give the split's own file`);
      }
      if (document.split !== split) return null;
    }
    const asked = use === 'story' ? document.text : document.summary?.text;
    const field = use === 'story' ? 'document.text' : 'document.summary.text';
    checked(z.string({ error: `field ${field}: expected the text` }).min(1), { ...raw, value: asked });
    return [
      {
        // Questions have no ids: each is named by its document and its place.
        id: `${document.id}/${raw.index}`,
        question: record.question.text,
        documents: [{ title: document.summary?.title || null, text: asked! }],
        answers: [...new Set(record.answers.map(answer => answer.text))],
        task: 'docqa',
        trace: null,
        evidence: null,
      },
    ];
  },
  records: narrativeqaFolder,
};
