/** What the families of questions about texts have in common. */
import type { RandomStream } from '../../engine/random.js';
import type { Document, Sample } from '../sample.js';

export interface FamilyOptions {
  /** Paragraphs that `reconstruct` takes out. */
  pieces: number;
}

/** A question made of texts; what it is about stands in its documents alone. */
export type Made = Pick<Sample, 'question' | 'documents' | 'answers' | 'task' | 'trace' | 'evidence'>;

export interface Family {
  /** Texts that a question is about: one, or as many as the source says. */
  about: 'one' | 'several';
  /**
   * @param texts as they were read, each with its title
   * @param random decides which question it is
   * @returns null where the texts do not give such a question: too short, nothing to tell apart
   */
  question(texts: readonly Document[], random: RandomStream, options: FamilyOptions): Made | null;
}
