/** Finding an answer in a response and bringing it to a form that can be compared. */

const MARKER = /the answer is/gi;
const QUOTES_AND_STARS = /^[\s"'“”‘’«»*`]+|[\s"'“”‘’«»*`]+$/gu;

/**
 * The text after the last "the answer is", stripped of blanks, quotes, asterisks and the final full stop; null when there is
 * none. Only what follows the last </think> counts, so an answer inside unfinished thinking is none.
 */
export function answerPhrase(text: string): string | null {
  const thoughtEnd = text.lastIndexOf('</think>');
  if (thoughtEnd < 0 && text.includes('<think>')) return null;
  const said = thoughtEnd < 0 ? text : text.slice(thoughtEnd + '</think>'.length);
  const last = [...said.matchAll(MARKER)].at(-1);
  if (last === undefined) return null;
  const answer = said
    .slice(last.index + last[0].length)
    .replace(QUOTES_AND_STARS, '')
    .replace(/\.$/, '')
    .replace(QUOTES_AND_STARS, '');
  return answer === '' ? null : answer;
}

/**
 * Lower case, Unicode NFKC, no punctuation, no articles, single blanks: what must be equal for two answers to be. Signs and
 * separators inside numbers stay meaningful ("-5" is not "5", "10.1" not "101", "1,987" is "1987"), hyphens between words are
 * blanks, and an answer that is an article alone ("A") stays what it is.
 */
export function normalise(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replaceAll(/(?<![\p{L}\p{N}])[-−–](?=\.?\d)/gu, '\u0001')
    .replaceAll(/(?<=\d)\.(?=\d)|(?<!\d)\.(?=\d)/g, '\u0002')
    .replaceAll(/[\p{Pd}/]/gu, ' ')
    .replaceAll(/[\p{P}\p{Sc}\p{Sk}]/gu, '')
    .replaceAll('\u0001', '-')
    .replaceAll('\u0002', '.')
    .split(/\s+/)
    .filter(word => word !== '');
  const content = words.filter(word => word !== 'a' && word !== 'an' && word !== 'the');
  return (content.length > 0 ? content : words).join(' ');
}
