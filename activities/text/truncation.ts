/**
 * Over-long documents lose their middle (arXiv 2505.17667, evaluation): beginning and end stay, in equal shares of tokens,
 * nothing between them. Question and instruction are never cut.
 */

import { longest } from '../datasets/index.js';

/** A text's own tokens and back, nothing added. */
export interface TextTokens {
  documentIds(text: string): number[];
  documentText(ids: readonly number[]): string;
}

/** The text with `keep` of its tokens: the first half and the last, the odd one at the beginning; whole if it has no more. */
export function truncateMiddle(text: string, keep: number, tokens: TextTokens): string {
  return middleCutter(text, tokens).cut(keep);
}

export interface FittedPrompt {
  promptIds: number[];
  document: string;
  cut: boolean;
}

/**
 * The prompt within `limit` tokens, its document cut only as far as needed: with one more of the document's tokens it would
 * not fit. Null where it does not even without a document.
 * @param promptIds the whole prompt's ids, by the document's text
 */
export function fitPrompt(
  document: string,
  limit: number,
  promptIds: (document: string) => number[],
  tokens: TextTokens,
): FittedPrompt | null {
  const whole = promptIds(document);
  if (whole.length <= limit) return { promptIds: whole, document, cut: false };
  const cutter = middleCutter(document, tokens);
  let best: (FittedPrompt & { keep: number }) | null = null;
  let tooMany = cutter.total;
  let keep = Math.max(0, cutter.total - (whole.length - limit));
  // A document's tokens in the prompt are nearly those of the document alone, so the first guess is a token or two off.
  for (let round = 0; keep < tooMany; round++) {
    const text = cutter.cut(keep);
    const ids = promptIds(text);
    if (ids.length <= limit) best = { promptIds: ids, document: text, cut: true, keep };
    else tooMany = keep;
    const least: number = best === null ? 0 : best.keep + 1;
    if (ids.length === limit || least >= tooMany) break;
    const guess = round < 4 ? keep + limit - ids.length : Math.floor((least + tooMany) / 2);
    keep = Math.min(Math.max(guess, least), tooMany - 1);
  }
  return best && { promptIds: best.promptIds, document: best.document, cut: true };
}

function middleCutter(text: string, tokens: TextTokens): { total: number; cut(keep: number): string } {
  const ids = tokens.documentIds(text);
  const cut = (keep: number): string => {
    if (keep >= ids.length) return text;
    const tail = Math.floor(keep / 2);
    const end = headEnd(text, ids, keep - tail, tokens);
    const start = tail === 0 ? text.length : tailStart(text, ids, tail, tokens);
    return text.slice(0, end) + text.slice(Math.max(end, start));
  };
  return { total: ids.length, cut };
}

const BROKEN = '\uFFFD';

/** How many characters the first `count` tokens are, without one that the cut would break. */
function headEnd(text: string, ids: readonly number[], count: number, tokens: TextTokens): number {
  const decoded = tokens.documentText(ids.slice(0, count));
  let same = 0;
  while (same < decoded.length && same < text.length && decoded[same] === text[same]) same++;
  // A token that ends within a character's bytes decodes to replacement characters in its stead.
  const exact = onlyBroken(decoded.slice(same));
  const end = exact ? same : longest(text.length, count, n => tokens.documentIds(text.slice(0, n)).length);
  return splitsPair(text, end) ? end - 1 : end;
}

/** Where the last `count` tokens begin, after a character that the cut would break. */
function tailStart(text: string, ids: readonly number[], count: number, tokens: TextTokens): number {
  const decoded = tokens.documentText(ids.slice(-count));
  let same = 0;
  while (same < decoded.length && same < text.length && decoded.at(-1 - same) === text.at(-1 - same)) same++;
  const exact = onlyBroken(decoded.slice(0, decoded.length - same));
  const length = exact
    ? same
    : longest(text.length, count, n => tokens.documentIds(text.slice(text.length - n)).length);
  const start = text.length - length;
  return splitsPair(text, start) ? start + 1 : start;
}

const onlyBroken = (rest: string): boolean => [...rest].every(c => c === BROKEN);

/** Whether the place lies between the halves of a character outside the basic plane. */
export function splitsPair(text: string, at: number): boolean {
  return at > 0 && at < text.length && /[\uD800-\uDBFF]/.test(text[at - 1]!) && /[\uDC00-\uDFFF]/.test(text[at]!);
}
