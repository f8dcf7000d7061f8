/** What the samples of a source have to lend to other samples: their documents and their questions, each once. */
import { containsAnswer, normalizedText, textHash } from './normalized-text.js';
import type { Document, Sample } from './sample.js';

export interface PooledDocument {
  document: Document;
  /** Of its normalised text. */
  hash: string;
  /** The normalised question that it is a document of; null where there are several. */
  question: string | null;
}

export class DocumentPool {
  private readonly byHash = new Map<string, PooledDocument>();
  private readonly byQuestion = new Map<string, string>();
  private list: PooledDocument[] | null = null;

  /** In the order first met. */
  get documents(): readonly PooledDocument[] {
    this.list ??= [...this.byHash.values()];
    return this.list;
  }

  /** As written, in the order first met. */
  get questions(): string[] {
    return [...this.byQuestion.values()];
  }

  add(sample: Sample): void {
    const question = normalizedText(sample.question);
    if (!this.byQuestion.has(question)) this.byQuestion.set(question, sample.question);
    for (const document of sample.documents) {
      const hash = textHash(document.text);
      const known = this.byHash.get(hash);
      if (!known) this.byHash.set(hash, { document, hash, question });
      else if (known.question !== question) known.question = null;
    }
    this.list = null;
  }
}

/** Tells the texts with which a sample's answer would come into its prompt. Choices name options, which no document holds. */
export function answerGiven(sample: Sample): (text: string) => boolean {
  return sample.task === 'choice' ? () => false : containsAnswer(sample.answers);
}
