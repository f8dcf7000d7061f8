/** A response token by token, as it reads. */
import type { TextModel } from '../../activities/text/index.js';

/** A piece of text, and the log-probability of the tokens that it is made of: mostly one, of some characters several. */
export interface ShownToken {
  text: string;
  logprob: number;
}

/** Of text before a token, as much as decides how the token reads: blanks at the beginning, marks above a letter. */
const BEFORE = 4;

/**
 * Null where the pieces do not make up the whole again: a tokenizer whose tokens do not read one by one.
 * @param logprobs one a token
 */
export function tokensOf(
  { documentText }: Pick<TextModel, 'documentText'>,
  ids: readonly number[],
  logprobs: readonly number[],
): ShownToken[] | null {
  const shown: ShownToken[] = [];
  let from = 0;
  for (let to = 1; to <= ids.length; to++) {
    const context = ids.slice(Math.max(0, from - BEFORE), from);
    const before = documentText(context);
    const text = documentText([...context, ...ids.slice(from, to)]);
    // Half a character: the next token completes it.
    if (text.endsWith('\ufffd') && to < ids.length) continue;
    if (!text.startsWith(before)) return null;
    const sum = logprobs.slice(from, to).reduce((a, b) => a + b, 0);
    shown.push({ text: text.slice(before.length), logprob: sum });
    from = to;
  }
  return shown.map(({ text }) => text).join('') === documentText([...ids]) ? shown : null;
}
