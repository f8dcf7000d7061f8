/** A reply that comes in pieces: server-sent events (HTML standard, section 9.2) with chunks of a completion. */
import { fieldOf, parsedJson } from './json.js';

/** Texts of a message that come in pieces. */
const TEXTS = ['content', 'reasoning_content', 'reasoning', 'refusal'];

/**
 * The whole completion, or the error that broke it off; undefined where the pieces end before the reply does: without a
 * finish_reason and without [DONE].
 */
export function gatherEvents(text: string): unknown {
  const message: Record<string, unknown> = { role: 'assistant', content: null };
  let finish: unknown = null;
  let choiceError: unknown;
  let usage: unknown = null;
  let done = false;
  let chosen = false;
  for (const data of dataOf(text)) {
    if (data === '[DONE]') {
      done = true;
      continue;
    }
    const chunk = parsedJson(data);
    if (chunk === undefined) return undefined;
    const failed = fieldOf(Array.isArray(chunk) ? chunk[0] : chunk, 'error');
    if ((failed !== undefined && failed !== null) || fieldOf(chunk, 'object') === 'error') return chunk;
    // Some count as they go, some once at the end, in a piece without choices.
    usage = fieldOf(chunk, 'usage') ?? usage;
    const choices = fieldOf(chunk, 'choices');
    const choice = Array.isArray(choices) ? choices.find(one => (fieldOf(one, 'index') ?? 0) === 0) : undefined;
    if (choice === undefined) continue;
    chosen = true;
    addPiece(message, fieldOf(choice, 'delta') ?? fieldOf(choice, 'message'));
    finish = fieldOf(choice, 'finish_reason') ?? finish;
    choiceError = fieldOf(choice, 'error') ?? choiceError;
  }
  if (!done && finish === null) return undefined;
  const choice = { index: 0, message, finish_reason: finish, ...(choiceError !== undefined && { error: choiceError }) };
  return { choices: chosen ? [choice] : [], usage };
}

function addPiece(message: Record<string, unknown>, piece: unknown): void {
  for (const name of TEXTS) {
    const more = fieldOf(piece, name);
    const said = Array.isArray(more)
      ? more.map(part => (fieldOf(part, 'type') === 'text' ? (fieldOf(part, 'text') ?? '') : '')).join('')
      : more;
    if (typeof said === 'string') message[name] = `${message[name] ?? ''}${said}`;
  }
  const calls = fieldOf(piece, 'tool_calls');
  if (Array.isArray(calls) && calls.length > 0) message.tool_calls = calls;
}

/** What the events say; an event's lines of data belong together, comments and other fields say nothing. */
function dataOf(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .replaceAll(/\r\n?/g, '\n')
    .split(/\n{2,}/)
    .map(event =>
      event
        .split('\n')
        .filter(line => line.startsWith('data:'))
        .map(line => line.slice('data:'.length).replace(/^ /, ''))
        .join('\n'),
    )
    .filter(data => data.trim() !== '');
}
