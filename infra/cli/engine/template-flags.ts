/** What a chat template is given on the command line beside the messages. */
import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { TemplateSettings } from '../../../activities/engine/text/index.js';
import { isoDateSchema, templateVariablesSchema } from '../../../activities/spec/index.js';

export interface TemplateFlags {
  templateVariable?: Record<string, unknown>;
  templateDate?: string;
}

export function withTemplateFlags(command: Command): Command {
  return command
    .option(
      '--template-variable <name=value>',
      'a value that the chat template reads by name, as JSON or as text: enable_thinking=false; may be given more than once',
      (text: string, before: Record<string, unknown> = {}) => ({ ...before, ...variable(text) }),
    )
    .option('--template-date <date>', 'the day that the chat template takes for today, as 2025-01-31', text =>
      checked(isoDateSchema, text),
    );
}

export const templateSettings = ({ templateVariable, templateDate }: TemplateFlags): TemplateSettings => ({
  variables: templateVariable,
  date: templateDate,
});

function variable(text: string): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected name=value.');
  return checked(templateVariablesSchema, { [text.slice(0, at)]: jsonOrText(text.slice(at + 1)) });
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const inner = issue!.code === 'invalid_key' ? issue!.issues[0] : issue;
  throw new InvalidArgumentError(`${inner!.message[0]!.toUpperCase()}${inner!.message.slice(1)}.`);
}
