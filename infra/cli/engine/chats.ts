/** Chats as training data has them: contents in parts, calls of tools, and the thinking that stands beside a reply. */
import { z } from 'zod';
import type { ChatMessage, TemplateSettings, Tokenizer } from '../../../activities/engine/text/index.js';
import { UserError } from '../../user-error.js';

const part = z.union(
  [z.string(), z.looseObject({ type: z.literal('text').optional(), text: z.string() }).transform(({ text }) => text)],
  { error: 'expected a part of text: {"type": "text", "text": "…"}; models here read nothing else' },
);

/** Parts become one text, a line each, since templates of models of text expect one. */
const content = z
  .union([z.string(), z.null(), z.array(z.unknown())], { error: 'expected a text, or a list of parts' })
  .transform((written, context) => {
    if (!Array.isArray(written)) return written;
    return written
      .map((one, k) => {
        const parsed = part.safeParse(one);
        if (parsed.success) return parsed.data;
        context.addIssue({ code: 'custom', path: [k], message: parsed.error.issues[0]!.message });
        return '';
      })
      .join('\n');
  });

/** The rest of a message is left to the template. Fields that are null are not there, as `datasets` writes them. */
const message = z
  .looseObject({ role: z.string(), content: content.optional() })
  .refine(
    ({ content, tool_calls: calls }) => typeof content === 'string' || (Array.isArray(calls) && calls.length > 0),
    {
      path: ['content'],
      error: 'expected a text',
    },
  )
  .transform(
    (fields): ChatMessage =>
      Object.fromEntries(
        Object.entries(fields).filter(([name, value]) => name === 'content' || value !== null),
      ) as ChatMessage,
  );

export interface ChatRecord {
  messages: ChatMessage[];
  tools?: unknown[] | null | undefined;
}

export const chatFields = (least: number) => ({
  messages: z.array(message).min(least),
  tools: z
    .array(z.unknown())
    .nullish()
    .transform(tools => tools ?? undefined),
});

/** Where servers and data sets put the thinking that led to a reply. */
const THINKING = ['reasoning_content', 'reasoning', 'thinking'];

/**
 * The chat's last message as a response to the rest: what it adds to the rendered prompt, up to the id that ends a reply.
 * @throws UserError where the template leaves out the reply's thinking, since a model would learn not to think
 */
export function replyTo(
  { messages, tools }: ChatRecord,
  tokenizer: Tokenizer,
  template: TemplateSettings = {},
): { promptIds: number[]; responseIds: number[] } {
  const reply = messages.at(-1)!;
  if (reply.role !== 'assistant')
    throw new UserError(
      `the last of ${messages.length} messages is from "${reply.role}"; expected the assistant's reply to learn.`,
    );
  const before = messages.slice(0, -1);
  const options = { ...template, tools };
  const prompt = tokenizer.renderChat(before, { ...options, addGenerationPrompt: true });
  const whole = tokenizer.renderChat(messages, options);
  for (const name of THINKING) {
    const thinking = reply[name];
    if (typeof thinking !== 'string' || thinking.trim() === '') continue;
    const { [name]: _, ...without } = reply;
    if (tokenizer.renderChat([...before, without as ChatMessage], options).join() === whole.join())
      throw new UserError(
        `messages.${messages.length - 1}.${name}: the model's chat template leaves it out, and the model would learn not to think; ` +
          'write it into content as the model is to write it ("<think>\\n…\\n</think>\\n\\n…"), or leave it out.',
      );
  }
  if (!prompt.every((id, i) => whole[i] === id))
    throw new UserError(
      "the model's chat template changes the prompt when the reply follows; give prompt_ids and response_ids instead of messages.",
    );
  const added = whole.slice(prompt.length);
  const end = added.findIndex(id => tokenizer.stopIds.includes(id));
  return { promptIds: prompt, responseIds: end < 0 ? added : added.slice(0, end + 1) };
}
