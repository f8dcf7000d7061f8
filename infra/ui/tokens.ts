/** A response token by token, as it reads. */
import type { TextModel } from '../../activities/text/index.js';

/** What is known of each token of a response. Measured: see infra/proof/measured-tokens.ts. */
export interface TokenValues {
  /** The sampler's log-probabilities. */
  logprob: readonly number[];
  entropy?: readonly number[] | undefined;
  /** The trainer's log-probabilities. */
  trainer?: readonly number[] | undefined;
}

/** A piece of text with the values of the tokens that it is made of: mostly one, of some characters several, then summed. */
export type ShownToken = { text: string } & { [V in keyof TokenValues]: number };

/** Of text before a token, as much as decides how the token reads: blanks at the beginning, marks above a letter. */
const BEFORE = 4;

/** Null where the pieces do not make up the whole again: a tokenizer whose tokens do not read one by one. */
export function tokensOf(
  { documentText }: Pick<TextModel, 'documentText'>,
  ids: readonly number[],
  values: TokenValues,
): ShownToken[] | null {
  const known = Object.entries(values).filter(([, one]) => one !== undefined) as [string, readonly number[]][];
  const shown: ShownToken[] = [];
  let from = 0;
  for (let to = 1; to <= ids.length; to++) {
    const context = ids.slice(Math.max(0, from - BEFORE), from);
    const before = documentText(context);
    const text = documentText([...context, ...ids.slice(from, to)]);
    // Half a character: the next token completes it.
    if (text.endsWith('\ufffd') && to < ids.length) continue;
    if (!text.startsWith(before)) return null;
    const sums = known.map(([name, one]) => [name, one.slice(from, to).reduce((a, b) => a + b, 0)]);
    shown.push({ text: text.slice(before.length), ...Object.fromEntries(sums) });
    from = to;
  }
  return shown.map(({ text }) => text).join('') === documentText([...ids]) ? shown : null;
}
