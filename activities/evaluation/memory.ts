/**
 * The memory agent (MemAgent, arXiv 2507.02259): a document is read chunk by chunk, after each of which the model writes
 * its notes anew, and answers from the last ones. So it reads any length with the context of one chunk.
 */
import type { ReadByMemory } from '../contract/index.js';
import { saidIn } from '../rewards/index.js';
import { EMPTY_MEMORY, type MemorySettings } from '../spec/index.js';
import { renderPrompt, renderTemplate, type TextTokens, truncateMiddle } from '../text/index.js';

/** An item as it is read: the same for every model that reads it with the same settings and tokenizer. */
export interface MemoryPrompt {
  question: string;
  /** Of the answer's prompt. */
  template: string;
  chunks: string[];
}

/** What an answer was given from, and what all calls for it took, its own among them. */
export interface Reading {
  memory: string;
  calls: number;
  promptTokens: number;
  tokens: number;
}

/** Before the first chunk. */
export const UNREAD: Reading = { memory: '', calls: 0, promptTokens: 0, tokens: 0 };

export const callsFor = ({ chunks }: MemoryPrompt): number => chunks.length + 1;

/** What is asked in call `call` from 0: the memory written anew with that chunk or, after the last, the answer. */
export function textOfCall({ template }: MemorySettings, prompt: MemoryPrompt, call: number, memory: string): string {
  const chunk = prompt.chunks[call];
  const notes = memory === '' ? EMPTY_MEMORY : memory;
  if (chunk === undefined) return renderPrompt(prompt.template, prompt.question, notes);
  return renderTemplate(template, { question: prompt.question, memory: notes, document: chunk });
}

/** What a response leaves in the memory: what it says, bounded; as before where it says nothing or never stops thinking. */
export function remembered(
  { memoryTokens }: MemorySettings,
  tokens: TextTokens,
  before: string,
  response: string,
  promptOpensThinking: boolean,
): string {
  const said = saidIn(response, { promptOpensThinking })?.trim() ?? '';
  return said === '' ? before : truncateMiddle(said, memoryTokens, tokens);
}

/** With one more call counted. */
export const counted = (reading: Reading, promptTokens: number, tokens: number): Reading => ({
  memory: reading.memory,
  calls: reading.calls + 1,
  promptTokens: reading.promptTokens + promptTokens,
  tokens: reading.tokens + tokens,
});

/** How documents were read for all answers, and what it took. */
export function readBy(
  { chunkTokens, memoryTokens }: Pick<MemorySettings, 'chunkTokens' | 'memoryTokens'>,
  readings: readonly Pick<Reading, 'calls'>[],
): ReadByMemory {
  const [calls, callsAtMost] = readings.reduce(
    ([all, most], reading) => [all + reading.calls, Math.max(most, reading.calls)],
    [0, 0],
  );
  return { chunkTokens, memoryTokens, calls, callsAtMost };
}
