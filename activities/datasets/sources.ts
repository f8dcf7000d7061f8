/** The kinds of data source a spec may name: one schema and one reader each, in one table. */
import { z } from 'zod';

/** A question over documents, with what is needed to train on it and to score it. */
export interface Sample {
  /** Unique within its source and stable: the same source gives the same ids in the same order. */
  id: string;
  question: string;
  documents: { title: string | null; text: string }[];
  /** Gold answers; the first is canonical, the rest are aliases. */
  answers: string[];
  task: 'docqa' | 'docmath' | 'choice';
  /** A reasoning trace that ends in "Therefore, the answer is …": what warm-up SFT trains on. */
  trace: string | null;
}

export const sourceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('jsonl'), path: z.string().min(1) }),
]);

export type Source = z.output<typeof sourceSchema>;
