/**
 * Long contexts from short ones: documents of other questions are laid among a sample's own until its prompt reaches a length.
 * Which ones, in what order and where is a function of (seed, sample id, options) and the documents there are.
 */
import { draws, permutation, randomStream } from '../engine/random.js';
import { answerGiven, type DocumentPool, type PooledDocument } from './document-pool.js';
import { normalizedText, textHash } from './normalized-text.js';
import type { Document, Sample } from './sample.js';

/** Lengths in the model's tokens, as the run's prompt has them. */
export interface PromptMeasure {
  /** Of the sample's whole prompt. */
  promptTokens(sample: Sample): number;
  /** What a document adds to a prompt, give or take the tokens that form at its edges. */
  documentTokens(document: Document): number;
}

export interface Lengthened {
  sample: Sample;
  added: number;
  /** It stayed short because every document there is for it was added. */
  ranOut: boolean;
}

/** So many documents in a row that are too long for what is left: then it is filled. */
const PATIENCE = 64;

/**
 * The sample with documents from the pool, its prompt as near to `upTo` tokens as whole documents bring it and never beyond;
 * null where it is longer than that without any. Its own documents keep their order, and stand at places of their own draw.
 * A document that holds one of the answers, or that the sample has already, is never added.
 * @param finished the sample as it will be asked, by its documents: what is measured
 */
export function withDistractors(
  sample: Sample,
  { upTo, seed }: { upTo: number; seed: number },
  pool: DocumentPool,
  measure: PromptMeasure,
  finished: (sample: Sample) => Sample = s => s,
): Lengthened | null {
  const laid = (added: readonly Document[]): Sample => finished(interleaved(sample, added, seed, upTo));
  const length = (added: readonly Document[]): number => measure.promptTokens(laid(added));
  const own = length([]);
  if (own > upTo) return null;
  const added: Document[] = [];
  let estimate = own;
  let refused = false;
  let tooLong = 0;
  const candidates = candidatesFor(sample, seed, pool);
  let next = candidates.next();
  while (!next.done && tooLong < PATIENCE) {
    const cost = measure.documentTokens(next.value.document);
    if (estimate + cost <= upTo) {
      estimate += cost;
      tooLong = 0;
      added.push(next.value.document);
    } else {
      refused = true;
      tooLong++;
    }
    next = candidates.next();
  }
  while (added.length > 0 && length(added) > upTo) added.pop();
  return { sample: laid(added), added: added.length, ranOut: !refused };
}

/** In the seed's order, the same for every length, so that longer contexts begin with what shorter ones have. */
function* candidatesFor(sample: Sample, seed: number, pool: DocumentPool): Generator<PooledDocument, void, void> {
  const question = normalizedText(sample.question);
  const own = new Set(sample.documents.map(document => textHash(document.text)));
  const givesAnswer = answerGiven(sample);
  for (const index of draws(pool.documents.length, randomStream('distractors', seed, sample.id))) {
    const candidate = pool.documents[index]!;
    if (own.has(candidate.hash) || candidate.question === question) continue;
    if (givesAnswer(`${candidate.document.title ?? ''} ${candidate.document.text}`)) continue;
    yield candidate;
  }
}

function interleaved(sample: Sample, added: readonly Document[], seed: number, upTo: number): Sample {
  if (added.length === 0) return sample;
  const count = sample.documents.length + added.length;
  const order = permutation(count, randomStream('distractors', seed, sample.id, upTo, 'places'));
  const places = order.slice(0, sample.documents.length).sort((a, b) => a - b);
  const documents: Document[] = new Array(count);
  sample.documents.forEach((document, k) => {
    documents[places[k]!] = document;
  });
  let next = 0;
  for (let place = 0; place < count; place++) documents[place] ??= added[next++]!;
  return { ...sample, documents, evidence: sample.evidence?.map(k => places[k]!) ?? null };
}
