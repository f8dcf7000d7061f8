/** Python's notions of text, where JavaScript's differ: the official scripts are Python, and must be agreed with to the bit. */

/** What str.split() and str.strip() take for blanks: Unicode's, the separators U+001C to U+001F, but no byte order mark. */
const BLANKS = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const BLANK_RUN = new RegExp(`[${BLANKS}]+`, 'u');
const OUTER_BLANKS = new RegExp(`^[${BLANKS}]+|[${BLANKS}]+$`, 'gu');

/** str.split() */
export function splitBlanks(text: string): string[] {
  return text.split(BLANK_RUN).filter(word => word !== '');
}

/** str.strip() */
export function strip(text: string): string {
  return text.replace(OUTER_BLANKS, '');
}

/** string.punctuation: ASCII's only, so “quotes” and dashes stay. */
export const PUNCTUATION = /[!-/:-@[-`{-~]/g;
