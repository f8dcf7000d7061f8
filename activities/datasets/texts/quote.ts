/** Retrieval of a quoted passage: what follows it is asked for, which only the text tells. */
import { pick } from '../../engine/random.js';
import { conclusion } from '../multihop.js';
import { normalizedText } from '../normalized-text.js';
import type { Family } from './family.js';
import { sentencesOf } from './paragraphs.js';

/** Words of the answer: enough not to be guessed, few enough to be said without a slip. */
const ASKED = 5;
/** Words that a quoted sentence has at least. */
const QUOTED = 6;

export const quote: Family = {
  about: 'several',
  question(texts, random) {
    const sentences = texts.map(({ text }) => sentencesOf(text));
    const counts = new Map<string, number>();
    for (const sentence of sentences.flat()) counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
    const places = sentences.flatMap((of, document) =>
      of.slice(0, -1).flatMap((sentence, k) => {
        const next = wordsOf(of[k + 1]!).slice(0, ASKED);
        const told = normalizedText(sentence).includes(normalizedText(next.join(' ')));
        const usable = wordsOf(sentence).length >= QUOTED && next.length === ASKED && !told;
        return usable && counts.get(sentence) === 1 ? [{ document, sentence, answer: next.join(' ') }] : [];
      }),
    );
    if (places.length === 0) return null;
    const { document, sentence, answer } = pick(places, random);
    return {
      question: `What are the first ${ASKED} words of the sentence that follows this one in the text?\n\n"${sentence}"`,
      documents: [...texts],
      answers: [answer],
      task: 'docqa',
      trace: `The sentence stands in document ${document + 1}. ${conclusion(answer)}`,
      evidence: [document],
    };
  },
};

/** Without what stands around them: a quotation mark, a comma. */
const wordsOf = (sentence: string): string[] =>
  sentence.match(/[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}'’.-]*[\p{L}\p{N}])?/gu) ?? [];
