/** A remote model that reads documents chunk by chunk: each reply is kept as it comes, so no call is paid for twice. */
import type { ChatRequest, Question } from '../remote/index.js';
import { seemsCut } from '../remote/index.js';
import type { MemorySettings } from '../spec/index.js';
import type { TextTokens } from '../text/index.js';
import { callsFor, counted, type MemoryPrompt, type Reading, remembered, textOfCall, UNREAD } from './memory.js';

/** A reading whose calls the endpoint answered. */
export interface RemoteReading extends Reading {
  /** Of the first call that it read in part, by its own count: the tokens counted and sent. */
  shortened?: { counted: number; sent: number };
}

/**
 * A question that leads from chunk to chunk to the answer.
 * @param ask the question about a text, as the model is asked any other
 * @returns beside it the reading, which is whole once the question has its answer
 */
export function readingQuestion(
  settings: MemorySettings,
  tokens: TextTokens,
  prompt: MemoryPrompt,
  ask: (text: string) => Question,
): { question: Question; reading: () => RemoteReading } {
  let reading: RemoteReading = UNREAD;
  const next = (): Question => ask(textOfCall(settings, prompt, reading.calls, reading.memory));
  const first = next();
  return {
    reading: () => reading,
    question: {
      ...first,
      instead: ({ text, usage }, asked) => {
        const isAnswer = reading.calls === callsFor(prompt) - 1;
        const { promptTokens, completionTokens } = usage;
        const sent = tokensOf(asked, tokens);
        const memory = isAnswer ? reading.memory : remembered(settings, tokens, reading.memory, text, false);
        const short = seemsCut(promptTokens, sent) ? { shortened: { counted: promptTokens, sent } } : {};
        const { shortened } = reading;
        reading = {
          ...{ ...counted(reading, promptTokens, completionTokens), memory },
          ...(shortened ? { shortened } : short),
        };
        return isAnswer ? null : next().request;
      },
    },
  };
}

function tokensOf({ messages }: ChatRequest, tokens: TextTokens): number {
  return messages.reduce((sum, { content }) => sum + tokens.documentIds(content).length, 0);
}
