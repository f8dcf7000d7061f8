/** Whether an endpoint read all of a prompt: some cut what is beyond their context, say nothing, and count what is left. */

/** Contexts of models begin here; a smaller count is of an endpoint that counts otherwise. */
const SMALLEST_CONTEXT = 1000;
/** Tokenizers differ, by less than this. */
const SAFE_SHARE = 0.5;
/**
 * Bytes of letters and digits in a token, on average and at most. English has 4 to 5, with nothing but long words 10; of
 * Georgian or Russian tokenizers of 200,000 entries take up to 11.
 */
const MOST_BYTES_PER_TOKEN = { ascii: 11, other: 16 };

/** Fewer tokens than models have for these texts, unless they repeat a long word without end. */
export function leastTokens(texts: readonly string[]): number {
  let tokens = 0;
  for (const text of texts) {
    const letters = text.replace(/[^\p{L}\p{N}]+/gu, '');
    const ascii = letters.replace(/[^A-Za-z0-9]+/g, '').length;
    tokens += ascii / MOST_BYTES_PER_TOKEN.ascii;
    tokens += (Buffer.byteLength(letters) - ascii) / MOST_BYTES_PER_TOKEN.other;
  }
  return Math.floor(tokens);
}

/**
 * @param counted the prompt's tokens as the endpoint counts them
 * @param sent as a tokenizer counts them that may be another than the endpoint's; null: not known, and `least` serves
 */
export function seemsCut(counted: number, sent: number | null, least = 0): boolean {
  const expected = sent === null ? least : SAFE_SHARE * sent;
  return counted >= SMALLEST_CONTEXT && counted < expected;
}
