/** A text as questions are made of it: paragraphs, sentences, and the words that tell texts apart. */

/** Paragraphs are set apart by blank lines; where there are none, by line ends. */
export function paragraphsOf(text: string): string[] {
  const parts = (separator: RegExp) =>
    text
      .split(separator)
      .map(part => part.trim())
      .filter(part => part !== '');
  const paragraphs = parts(/\n[^\S\n]*\n\s*/);
  return paragraphs.length > 1 ? paragraphs : parts(/\n/);
}

/** By Unicode's rules (UAX 29), which know no abbreviations: a sentence may be cut short. */
const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });

export const sentencesOf = (text: string): string[] =>
  [...SENTENCES.segment(text)].map(({ segment }) => segment.trim()).filter(segment => segment !== '');

/** Words that begin with a capital and have more letters: names, for the most part. Each once, in the order met. */
export const namesOf = (text: string): string[] => [...new Set(text.match(/(?<![\p{L}\p{N}])\p{Lu}\p{Ll}{3,}/gu))];

/** Whether the text has the word, in these letters. */
export const mentions = (text: string, word: string): boolean =>
  new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, 'u').test(text);
