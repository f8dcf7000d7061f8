/** The records the engine commands read, and how text becomes ids. */
import { z } from 'zod';
import type { ChatMessage } from '../../../activities/engine/text/index.js';
import { UserError } from '../../user-error.js';
import type { ModelSession } from './session.js';

const ids = z.array(z.int().min(0)).min(1);
const message = z.object({ role: z.string(), content: z.string() });

/** A sequence, as ids or as text. */
export const sequenceRecord = z.union([z.object({ ids }), z.object({ text: z.string() })], {
  error: 'expected {"ids": [whole numbers]} or {"text": "…"}',
});

/** A prompt, as ids, as text or as a chat that the model is to answer. */
export const promptRecord = z.union(
  [z.object({ ids }), z.object({ text: z.string() }), z.object({ messages: z.array(message).min(1) })],
  { error: 'expected {"ids": […]}, {"text": "…"} or {"messages": [{"role", "content"}, …]}' },
);

/** An SFT example, as ids or as a chat whose last message is the response to learn. */
export const exampleRecord = z.union(
  [z.object({ prompt_ids: ids, response_ids: ids }), z.object({ messages: z.array(message).min(2) })],
  { error: 'expected {"prompt_ids": […], "response_ids": […]} or {"messages": [{"role", "content"}, …]}' },
);

export const rolloutRecord = z.object({
  prompt_ids: ids,
  responses: z.array(z.object({ ids, logprobs: z.array(z.number()), reward: z.number() })).min(1),
});

export async function promptIds(record: z.output<typeof promptRecord>, session: ModelSession): Promise<number[]> {
  if ('ids' in record) return record.ids;
  const tokenizer = await session.tokenizer();
  return 'text' in record
    ? tokenizer.encode(record.text)
    : tokenizer.renderChat(record.messages, { addGenerationPrompt: true });
}

/** The response to a chat is what its last message adds to the rendered prompt, up to the id that ends a reply. */
export async function exampleIds(
  record: z.output<typeof exampleRecord>,
  session: ModelSession,
): Promise<{ promptIds: number[]; responseIds: number[] }> {
  if ('prompt_ids' in record) return { promptIds: record.prompt_ids, responseIds: record.response_ids };
  const { messages } = record;
  if (messages.at(-1)!.role !== 'assistant')
    throw new UserError(
      `the last of ${messages.length} messages is from "${messages.at(-1)!.role}"; expected the assistant's reply to learn.`,
    );
  const tokenizer = await session.tokenizer();
  const prompt = tokenizer.renderChat(messages.slice(0, -1) as ChatMessage[], { addGenerationPrompt: true });
  const whole = tokenizer.renderChat(messages);
  if (!prompt.every((id, i) => whole[i] === id))
    throw new UserError(
      "the model's chat template changes the prompt when the reply follows; give prompt_ids and response_ids instead of messages.",
    );
  const reply = whole.slice(prompt.length);
  const end = reply.findIndex(id => tokenizer.stopIds.includes(id));
  return { promptIds: prompt, responseIds: end < 0 ? reply : reply.slice(0, end + 1) };
}
