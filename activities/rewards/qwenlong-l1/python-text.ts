/** Python's string methods where JavaScript's differ: which characters are blanks, and what a substring is. */

/** What str.isspace() holds for: with the separators U+001C–1F and U+0085, without U+FEFF. */
const BLANKS = new Set([
  ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
]);

const isBlank = (text: string, at: number): boolean => BLANKS.has(text.charCodeAt(at));

/** str.strip() */
export const strip = (text: string): string => trimmed(text, at => isBlank(text, at));

/** str.strip('.') */
export const stripFullStops = (text: string): string => trimmed(text, at => text[at] === '.');

function trimmed(text: string, drop: (at: number) => boolean): string {
  let [start, end] = [0, text.length];
  while (start < end && drop(start)) start += 1;
  while (end > start && drop(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** str.split() */
export function split(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && !isBlank(text, at)) continue;
    if (at > start) words.push(text.slice(start, at));
    start = at + 1;
  }
  return words;
}

/** text.rsplit(mark, 1)[-1]: what follows the last mark, or all of it. */
export function afterLast(text: string, mark: string): string {
  const at = text.lastIndexOf(mark);
  return at < 0 ? text : text.slice(at + mark.length);
}

/** part in text: by code points, so that half a surrogate pair is no part of it. */
export function contains(text: string, part: string): boolean {
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1))
    if (!splitsPair(text, at) && !splitsPair(text, at + part.length)) return true;
  return false;
}

const splitsPair = (text: string, at: number): boolean => at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
