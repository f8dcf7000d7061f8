/** How an answer is asked for and scored, as QwenLong-L1 has it (arXiv 2505.17667): activities/rewards has one rule for each. */
export const TASKS = ['docqa', 'docmath', 'choice'] as const;
export type Task = (typeof TASKS)[number];

export interface Document {
  title: string | null;
  text: string;
}

/** A question over documents, with what is needed to train on it and to score it. */
export interface Sample {
  /** Unique within its source and stable: the same source gives the same ids in the same order. */
  id: string;
  question: string;
  documents: Document[];
  /** Gold answers; the first is canonical, the rest are aliases. */
  answers: string[];
  task: Task;
  /** A reasoning trace that ends in "Therefore, the answer is …": what warm-up SFT trains on. */
  trace: string | null;
  /** Which documents the answer rests on, by their place from 0; null where the data does not say. */
  evidence: number[] | null;
  /**
   * Where the data comes with its prompts rendered: the template, with {document} and {question}, that gives this one again
   * to the letter. It stands for the spec's.
   */
  template?: string;
  /** Where something was written into the documents, or over the question: what they are without it. */
  original?: { question: string; documents: Document[] };
}
