/**
 * Contamination: what an evaluation set asks, or the documents its answers rest on, among what is trained on. Evaluation sets
 * are noted first, then every training sample is looked up, so that only the sets are held.
 */
import { normalizedText, textHash, wordCount } from './normalized-text.js';
import type { Document, Sample } from './sample.js';

export const OVERLAPS = ['questions', 'documents'] as const;
export type OverlapKind = (typeof OVERLAPS)[number];

/** Documents of fewer words are phrases that anyone may write again. */
export const SHORTEST_DOCUMENT_WORDS = 8;
/** Pairs of samples that are named. */
const EXAMPLES = 3;

/** What one source that is trained on has in common with one evaluation set. */
export interface Overlap {
  /** Place of the set among the spec's. */
  set: number;
  /** Where the spec names the source, as in `data[0]`. */
  source: string;
  kind: OverlapKind;
  /** Samples of the set concerned. */
  samples: number;
  examples: { evaluation: string; training: string }[];
}

interface Asked {
  set: number;
  id: string;
}

export class ContaminationCheck {
  private readonly questions = new Map<string, Asked[]>();
  private readonly documents = new Map<string, Asked[]>();
  private readonly found = new Map<string, { overlap: Overlap; seen: Set<string> }>();
  /** Distractors are one object in many samples. */
  private readonly hashes = new WeakMap<Document, string | null>();

  /** Notes a sample of an evaluation set: its question, and the documents its answer rests on (all where that is not known). */
  evaluated(set: number, sample: Sample): void {
    const { question, documents } = sample.original ?? sample;
    const asked = { set, id: sample.id };
    const words = normalizedText(question);
    if (words !== '') note(this.questions, words, asked);
    const gold = sample.evidence === null ? documents : sample.evidence.flatMap(k => documents[k] ?? []);
    for (const document of gold) {
      const hash = this.hashOf(document);
      if (hash !== null) note(this.documents, hash, asked);
    }
  }

  /** Looks up a sample that is trained on: its question and all its documents, those that were added to it too. */
  trained(source: string, sample: Sample): void {
    const { question, documents } = sample.original ?? sample;
    this.count('questions', source, sample, this.questions.get(normalizedText(question)));
    for (const document of documents) {
      const hash = this.hashOf(document);
      if (hash !== null) this.count('documents', source, sample, this.documents.get(hash));
    }
  }

  /** By set, then in the order found. */
  overlaps(): Overlap[] {
    return [...this.found.values()].map(({ overlap }) => overlap).sort((a, b) => a.set - b.set);
  }

  private count(kind: OverlapKind, source: string, sample: Sample, asked: readonly Asked[] = []): void {
    for (const { set, id } of asked) {
      const key = JSON.stringify([set, source, kind]);
      const known = this.found.get(key) ?? {
        overlap: { set, source, kind, samples: 0, examples: [] },
        seen: new Set<string>(),
      };
      this.found.set(key, known);
      if (known.seen.has(id)) continue;
      known.seen.add(id);
      known.overlap.samples++;
      if (known.overlap.examples.length < EXAMPLES)
        known.overlap.examples.push({ evaluation: id, training: sample.id });
    }
  }

  private hashOf(document: Document): string | null {
    const known = this.hashes.get(document);
    if (known !== undefined) return known;
    const hash = wordCount(document.text) < SHORTEST_DOCUMENT_WORDS ? null : textHash(document.text);
    this.hashes.set(document, hash);
    return hash;
  }
}

function note(index: Map<string, Asked[]>, key: string, asked: Asked): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [asked]);
  else if (!known.some(other => other.set === asked.set && other.id === asked.id)) known.push(asked);
}
