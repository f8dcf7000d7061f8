/** Texts as they are compared: what differs only in case, punctuation, width or white space is the same. */
import { sha256 } from '../store/index.js';

/** Lower case, NFKC, dashes and slashes as blanks, other punctuation dropped, white space squeezed. */
export function normalizedText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{Pd}/]/gu, ' ')
    .replace(/\p{P}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
}

/** Equal for texts that are equal once normalised. */
export const textHash = (text: string): string => sha256(normalizedText(text));

const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{M}\p{N}]+/gu;

/** Words of a text; in scripts written without blanks, characters. */
export function wordCount(text: string): number {
  return text.match(WORDS)?.length ?? 0;
}

/** Shorter answers stand within too many words ("no" in "know") to be looked for as anything but words. */
const SHORTEST_WITHIN_WORDS = 4;
const SPACED = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}\p{S} ]+$/u;

/**
 * Whether a text has one of the answers in it, both normalised and the answers without a leading article. Answers of fewer
 * than four characters, in scripts that put blanks between words, are found as whole words only.
 */
export function containsAnswer(answers: readonly string[]): (text: string) => boolean {
  const wanted = answers
    .map(answer => normalizedText(answer))
    .map(answer => answer.replace(/^(?:the|an?) (?=.)/, ''))
    .filter(answer => answer !== '')
    .map(answer => (answer.length < SHORTEST_WITHIN_WORDS && SPACED.test(answer) ? ` ${answer} ` : answer));
  return text => {
    const within = ` ${normalizedText(text)} `;
    return wanted.some(answer => within.includes(answer));
  };
}
