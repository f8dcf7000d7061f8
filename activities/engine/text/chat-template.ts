/** The Jinja template by which a model turns a chat into one text, where transformers looks for it and with what it passes in. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineRequestError } from '../protocol/index.js';
import { TemplateThread } from './template-thread.js';

const TEMPLATE_FILE = 'chat_template.jinja';

/** One template, or several by name (then the one named "default" is meant). */
const inSettingsSchema = z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]);

/**
 * @param inSettings tokenizer_config.json's `chat_template`; chat_template.jinja wins over it.
 * @param specialTokens what the template may use by name: `bos_token` and the like.
 */
export async function readChatTemplate(
  directory: string,
  inSettings: unknown,
  specialTokens: Record<string, string>,
): Promise<ChatTemplate | null> {
  const path = join(directory, TEMPLATE_FILE);
  const text = await readFile(path, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) return new ChatTemplate(path, text, specialTokens);
  if (inSettings === undefined || inSettings === null) return null;

  const settingsPath = join(directory, 'tokenizer_config.json');
  const parsed = inSettingsSchema.safeParse(inSettings);
  const found =
    typeof parsed.data === 'string' ? parsed.data : parsed.data?.find(({ name }) => name === 'default')?.template;
  if (found === undefined) {
    throw new EngineRequestError(
      `${settingsPath}: chat_template holds no template; expected a text, or a list with one named 'default'`,
      'bad-model',
    );
  }
  return new ChatTemplate(settingsPath, found, specialTokens);
}

/** All templates share it. */
const thread = new TemplateThread();

export class ChatTemplate {
  constructor(
    private readonly path: string,
    private readonly source: string,
    private readonly specialTokens: Record<string, string>,
  ) {
    try {
      thread.render(source, null);
    } catch (error) {
      throw new EngineRequestError(`${path}: the chat template cannot be parsed: ${messageOf(error)}`, 'bad-model');
    }
  }

  render(messages: readonly object[], addGenerationPrompt: boolean, tools?: readonly unknown[]): string {
    try {
      const values = {
        ...this.specialTokens,
        messages,
        add_generation_prompt: addGenerationPrompt,
        ...(tools && { tools }),
      };
      return thread.render(this.source, values);
    } catch (error) {
      throw new EngineRequestError(`${this.path}: the chat template refuses the messages: ${messageOf(error)}`);
    }
  }

  /** What the template puts after an assistant's reply: where a reply ends, for a model trained on it. */
  afterReply(): string {
    const reply = 'the reply ends here';
    const chat = this.render(
      [
        { role: 'user', content: 'a question' },
        { role: 'assistant', content: reply },
      ],
      false,
    );
    const at = chat.lastIndexOf(reply);
    return at < 0 ? '' : chat.slice(at + reply.length);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
