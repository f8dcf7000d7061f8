/**
 * Added tokens with `single_word`: matched where no letter, digit or underscore is beside them, as in the Rust library. The
 * library here matches them anywhere, so its two splitters (before and after normalisation) are given the rule.
 */
import type { Tokenizer } from '@huggingface/tokenizers';

interface Splitter {
  /** The text in pieces, added tokens apart from what lies between them. */
  split(text: string): string[];
}

interface Inside {
  splitter_unnormalized: Splitter;
  splitter_normalized: Splitter;
  added_tokens_map: ReadonlyMap<string, { single_word: boolean }>;
}

/** What Rust's \w matches: one character at the end, or at the beginning. */
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_IN_WORD = new RegExp(`${WORD}$`, 'u');
const BEGINS_WITH_WORD = new RegExp(`^${WORD}`, 'u');

/** Has the tokenizer match its single-word tokens as whole words only. */
export function matchWholeWords(tokenizer: Tokenizer): void {
  const inside = tokenizer as unknown as Inside;
  const added = inside.added_tokens_map;
  if (![...added.values()].some(token => token.single_word)) return;
  for (const splitter of [inside.splitter_unnormalized, inside.splitter_normalized]) {
    const split = splitter.split.bind(splitter);
    splitter.split = text => rejoined(split(text), added);
  }
}

/** What is no whole word goes back into the text around it. */
function rejoined(pieces: readonly string[], added: Inside['added_tokens_map']): string[] {
  const result: string[] = [];
  /** Whether the last of the result is text, which more text may be joined to. */
  let open = false;
  pieces.forEach((piece, i) => {
    const token = added.get(piece);
    const [before, after] = [pieces[i - 1] ?? '', pieces[i + 1] ?? ''];
    const torn = token?.single_word && (ENDS_IN_WORD.test(before) || BEGINS_WITH_WORD.test(after));
    if (token && !torn) result.push(piece);
    else if (open) result[result.length - 1] += piece;
    else result.push(piece);
    open = !token || Boolean(torn);
  });
  return result;
}
