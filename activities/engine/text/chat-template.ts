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

/** What a spec gives a template beside the messages. */
export interface TemplateSettings {
  /** Values by the names that the template has for them: `enable_thinking`. */
  variables?: Record<string, unknown> | undefined;
  /** The day that strftime_now tells, as ISO has it; without one the template has no such function. */
  date?: string | null | undefined;
}

/** Names of a template's that are not a spec's to give. */
export const RESERVED_VARIABLES: readonly string[] = [
  ...['messages', 'add_generation_prompt', 'strftime_now', 'raise_exception', 'range', 'namespace'],
  ...['true', 'false', 'none', 'True', 'False', 'None', 'loop'],
];

/** Where a reply ends is no matter of the day. */
const ANY_DATE = '2000-01-01';

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

  /** @throws EngineRequestError where the template refuses the messages, or does not know a variable */
  render(
    messages: readonly object[],
    addGenerationPrompt: boolean,
    { tools, variables = {}, date = null }: { tools?: readonly unknown[] | null | undefined } & TemplateSettings = {},
  ): string {
    const unknown = Object.keys(variables).find(name => !new RegExp(`\\b${name}\\b`).test(this.source));
    if (unknown !== undefined)
      throw new EngineRequestError(
        `${this.path}: the chat template uses no variable '${unknown}'; leave it out of the template's variables`,
      );
    try {
      const values = {
        ...this.specialTokens,
        ...variables,
        messages,
        add_generation_prompt: addGenerationPrompt,
        ...(tools && { tools }),
      };
      return thread.render(this.source, values, date);
    } catch (error) {
      const undated = date === null && /\bstrftime_now\b/.test(this.source) && /not a function/.test(messageOf(error));
      const hint = undated
        ? '; it asks for the date (strftime_now): give one that stays the same, as prompt.date in the spec or by --template-date'
        : '';
      throw new EngineRequestError(`${this.path}: the chat template refuses the messages: ${messageOf(error)}${hint}`);
    }
  }

  /** What the template puts after an assistant's reply: where a reply ends, for a model trained on it. */
  afterReply(): string {
    const reply = 'the reply ends here';
    const messages = [
      { role: 'user', content: 'a question' },
      { role: 'assistant', content: reply },
    ];
    return after(reply, this.render(messages, false, { date: ANY_DATE })) ?? '';
  }

  /**
   * Whether a response to a chat begins inside <think>, since the template's generation prompt opens it (and does not close
   * it, as where thinking is turned off).
   */
  thinkingOpen(system: string | null, settings: TemplateSettings): boolean {
    const question = 'the question ends here';
    const messages = [
      ...(system === null ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: question },
    ];
    return endsInThinking(after(question, this.render(messages, true, settings)) ?? '');
  }
}

/** Whether a text's last <think> is without an end. */
export const endsInThinking = (text: string): boolean => text.lastIndexOf('<think>') > text.lastIndexOf('</think>');

function after(part: string, text: string): string | null {
  const at = text.lastIndexOf(part);
  return at < 0 ? null : text.slice(at + part.length);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
