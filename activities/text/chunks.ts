/** A text longer than a context, cut into chunks that follow one another: together they are the text again. */
import { setImmediate } from 'node:timers/promises';
import { longest } from '../datasets/index.js';
import { splitsPair, type TextTokens } from './truncation.js';

/** A chunk ends with a word where one ends within so many characters. */
const WORD = 64;

/**
 * Chunks of at most `most` tokens each, as long as they go.
 * @param most 16 or more: no character has as many tokens
 */
export async function chunksOf(text: string, most: number, tokens: TextTokens): Promise<string[]> {
  const chunks: string[] = [];
  // Of what was cut so far, so that the next end is guessed well.
  let perToken = 4;
  for (let at = 0; at < text.length; at += chunks.at(-1)!.length) {
    // Without a turn of the event loop now and then, a long text would not heartbeat.
    await setImmediate();
    const chunk = firstChunk(text, at, most, perToken, tokens);
    perToken = chunk.length / most;
    chunks.push(chunk);
  }
  return chunks;
}

function firstChunk(text: string, at: number, most: number, perToken: number, tokens: TextTokens): string {
  const count = (length: number): number => tokens.documentIds(text.slice(at, at + length)).length;
  const rest = text.length - at;
  let span = Math.min(rest, Math.ceil(1.2 * perToken * most) + WORD);
  while (span < rest && count(span) <= most) span = Math.min(rest, 2 * span);
  const fitting = Math.max(1, longest(span, most, count));
  if (fitting === rest) return text.slice(at);
  const end = at + fitting;
  const word = text.slice(Math.max(at + 1, end - WORD), end + 1).search(/\s\S*$/);
  const wordEnd = word < 0 ? end : Math.max(at + 1, end - WORD) + word;
  return text.slice(at, splitsPair(text, wordEnd) && wordEnd > at + 1 ? wordEnd - 1 : wordEnd);
}
