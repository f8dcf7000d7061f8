/** The records the engine commands read, and how text becomes ids. */
import { z } from 'zod';
import { inWords } from '../../../activities/datasets/index.js';
import { nearest } from '../../../activities/spec/index.js';
import { UserError } from '../../user-error.js';
import { type ChatRecord, chatFields, replyTo } from './chats.js';
import type { ModelSession } from './session.js';

const ids = z.array(z.int().min(0)).min(1);

/** A sequence, as ids or as text. */
export const sequenceRecord = oneOf(
  { ids: z.object({ ids }), text: z.object({ text: z.string() }) },
  'expected {"ids": [whole numbers]} or {"text": "…"}',
);

const isChat = (record: object): record is ChatRecord => 'messages' in record;

/** A prompt, as ids, as text or as a chat that the model is to answer. */
export const promptRecord = oneOf(
  { ids: z.object({ ids }), text: z.object({ text: z.string() }), messages: z.object(chatFields(1)) },
  'expected {"ids": […]}, {"text": "…"} or {"messages": [{"role", "content"}, …]}',
);

/** An SFT example, as ids or as a chat whose last message is the response to learn. */
export const exampleRecord = oneOf(
  { prompt_ids: z.object({ prompt_ids: ids, response_ids: ids }), messages: z.object(chatFields(2)) },
  'expected {"prompt_ids": […], "response_ids": […]} or {"messages": [{"role", "content"}, …]}',
);

export const rolloutRecord = z.object({
  prompt_ids: ids,
  responses: z.array(z.object({ ids, logprobs: z.array(z.number()), reward: z.number() })).min(1),
});

/** @throws UserError where there is nothing to read */
export async function promptIds(
  record: z.output<typeof promptRecord> | z.output<typeof sequenceRecord>,
  session: ModelSession,
): Promise<number[]> {
  if ('ids' in record) return record.ids;
  const tokenizer = await session.tokenizer();
  if (isChat(record))
    return tokenizer.renderChat(record.messages, {
      addGenerationPrompt: true,
      tools: record.tools,
      ...session.template,
    });
  const read = tokenizer.encode(record.text);
  if (read.length === 0) throw new UserError('the text is empty: it has no token; leave the line out.');
  return read;
}

/** The response to a chat is what its last message adds to the rendered prompt, up to the id that ends a reply. */
export async function exampleIds(
  record: z.output<typeof exampleRecord>,
  session: ModelSession,
): Promise<{ promptIds: number[]; responseIds: number[] }> {
  if ('prompt_ids' in record) return { promptIds: record.prompt_ids, responseIds: record.response_ids };
  return replyTo(record, await session.tokenizer(), session.template);
}

/** By the one of the fields that a record has and that is not null: its problems are then those of that form, and not of all of them. */
function oneOf<T extends Record<string, z.ZodType>>(forms: T, expected: string): z.ZodType<z.output<T[keyof T]>> {
  return z.record(z.string(), z.unknown(), { error: expected }).transform((record, context) => {
    const given = Object.keys(forms).filter(field => record[field] !== undefined && record[field] !== null);
    const [name] = given;
    if (name === undefined || given.length > 1) {
      const found = given.length > 1 ? `, found both ${given.map(field => `"${field}"`).join(' and ')}` : '';
      context.addIssue({ code: 'custom', message: `${expected}${found || misspelt(record, Object.keys(forms))}` });
      return z.NEVER;
    }
    const parsed = forms[name]!.safeParse(record, { error: inWords });
    if (parsed.success) return parsed.data as z.output<T[keyof T]>;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

function misspelt(record: object, known: string[]): string {
  for (const typed of Object.keys(record)) {
    const name = nearest(typed, known);
    if (name !== undefined) return `; there is ${JSON.stringify(typed)}, did you mean "${name}"?`;
  }
  return '';
}
