/** Whether an endpoint read all of a prompt: some cut what is beyond their context, say nothing, and count what is left. */

/** Contexts of models begin here; a smaller count is of an endpoint that counts otherwise. */
const SMALLEST_CONTEXT = 1000;
/** Tokenizers differ, by less than this. */
const SAFE_SHARE = 0.5;
/**
 * Bytes of letters and digits in a token, on average and at most. English has 4 to 5; tokenizers of 200,000 entries take up to
 * 10 of Georgian, Russian or long English words.
 */
const MOST_BYTES_PER_TOKEN = 16;

/** Fewer tokens than models have for these texts, unless they repeat a long word without end. */
export function leastTokens(texts: readonly string[]): number {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text.replace(/[^\p{L}\p{N}]+/gu, '')), 0);
  return Math.floor(bytes / MOST_BYTES_PER_TOKEN);
}

/**
 * @param counted the prompt's tokens as the endpoint counts them
 * @param sent as a tokenizer counts them that may be another than the endpoint's; null: not known, and `least` serves
 */
export function seemsCut(counted: number, sent: number | null, least = 0): boolean {
  const expected = sent === null ? least : SAFE_SHARE * sent;
  return counted >= SMALLEST_CONTEXT && counted < expected;
}
