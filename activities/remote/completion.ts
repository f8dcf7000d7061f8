/** Reading a chat completion: an answer, or why it is none. */
import { z } from 'zod';
import { MalformedReplyError, NoAnswerError } from './errors.js';
import { fieldOf } from './json.js';
import { excerpt, whyRefused } from './refusals.js';

export interface ChatUsage {
  promptTokens: number;
  completionTokens: number;
}

export interface ChatReply {
  /**
   * What the model says, without the thinking that the endpoint hands over apart. Where it says nothing beside: of a reply
   * cut off at maxTokens that thinking, after an unclosed <think>; of one that ended by itself the thinking as it stands,
   * since a server that takes all of a reply for thinking hides the answer there.
   */
  text: string;
  /** `length`: cut off at maxTokens; `other`: ended as no other endpoint says it. */
  finish: 'stop' | 'length' | 'other';
  /** As the endpoint counts; what it leaves out at a token for every 3 bytes, so that budgets hold. */
  usage: ChatUsage;
}

/** Of a field that endpoints fill in as they like, what is of use. */
const lenient = <S extends z.ZodType>(schema: S) => schema.nullish().catch(undefined);
const countSchema = lenient(z.number().min(0).transform(Math.round));
const partSchema = z.object({ type: z.string().optional(), text: lenient(z.string()) });
const messageSchema = z.object({
  /** Text, or parts of which those of the type `text` are said. */
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
  reasoning_content: lenient(z.string()),
  reasoning: lenient(z.string()),
  refusal: lenient(z.string()),
  tool_calls: z.unknown().optional(),
  function_call: z.unknown().optional(),
});

/** What is used of a reply; endpoints add fields of their own, and leave out what they have not. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: messageSchema.nullish(),
        finish_reason: lenient(z.string()),
        error: z.unknown().optional(),
      }),
    )
    .min(1),
  usage: lenient(z.object({ prompt_tokens: countSchema, completion_tokens: countSchema })),
});

/** How replies end, by the many names that providers have for it, in small letters. */
type Ending = ChatReply['finish'] | 'died' | 'filtered';
const ENDINGS: Record<Exclude<Ending, 'other'>, readonly string[]> = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token', 'complete', ''],
  length: ['length', 'max_tokens', 'max_output_tokens', 'model_length', 'max_length', 'model_context_window_exceeded'],
  // DeepSeek, SGLang, Zhipu; OpenRouter's `error`.
  died: ['error', 'insufficient_system_resource', 'abort', 'aborted', 'network_error', 'cancelled', 'engine_error'],
  // Gemini's names for it, Claude's `refusal`, Zhipu's `sensitive`.
  filtered: [
    ...['content_filter', 'safety', 'recitation', 'blocklist', 'prohibited_content', 'spii', 'image_safety'],
    ...['refusal', 'sensitive', 'flagged', 'guardrail_intervened'],
  ],
};
const ENDING_OF = new Map(
  Object.entries(ENDINGS).flatMap(([ending, names]) => names.map(name => [name, ending as Ending])),
);
const endingOf = (reason: string | null | undefined): Ending => ENDING_OF.get((reason ?? '').toLowerCase()) ?? 'other';

/**
 * @param sent the texts of the question's messages
 * @param onUsage told what it cost, answer or not
 * @throws NoAnswerError
 */
export function readCompletion(
  json: unknown,
  sent: readonly string[],
  onUsage: (usage: ChatUsage) => void = () => {},
): ChatReply {
  const parsed = completionSchema.safeParse(json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new MalformedReplyError(
      `a reply that is no chat completion: ${path.join('.') || 'it'}: ${message}: ${excerpt(JSON.stringify(json))}`,
    );
  }
  const { choices, usage } = parsed.data;
  const [{ message, finish_reason, error }] = choices as [(typeof choices)[number]];
  const ending = endingOf(finish_reason);
  const thinking = message?.reasoning_content || message?.reasoning || '';
  const said = saidIn(message?.content);
  const counted = {
    promptTokens: usage?.prompt_tokens ?? assumedTokens(sent),
    completionTokens: usage?.completion_tokens ?? assumedTokens([thinking, said]),
  };
  onUsage(counted);

  if (error !== undefined && error !== null) throw diedOf({ error });
  if (ending === 'died') throw new NoAnswerError('died', `a reply that ended with ${JSON.stringify(finish_reason)}`);
  if (ending === 'filtered') {
    throw new NoAnswerError('filtered', `a filter took the reply (finish_reason ${JSON.stringify(finish_reason)})`);
  }
  const refusal = message?.refusal ?? '';
  if (said === '' && refusal !== '') throw new NoAnswerError('declined', `the model declines: ${excerpt(refusal)}`);
  if (!message && ending !== 'length') throw new MalformedReplyError('a choice without a message');
  if (said.trim() === '' && (isCall(message?.tool_calls) || isCall(message?.function_call))) {
    throw new NoAnswerError('tool call', 'the model calls a tool that nobody offered, and says nothing');
  }
  if (said.trim() === '' && thinking.trim() === '' && ending !== 'length') {
    throw new NoAnswerError('empty', 'a reply that says nothing');
  }
  const text = said !== '' || thinking === '' ? said : ending === 'stop' ? thinking : `<think>\n${thinking}`;
  return { text, finish: ending, usage: counted };
}

/** An error inside a choice, which may have a status of its own; it is the reply that died where it has none. */
function diedOf(json: { error: unknown }): NoAnswerError {
  const status = Number(fieldOf(json.error, 'code') ?? fieldOf(json.error, 'status'));
  const isStatus = Number.isInteger(status) && status >= 400 && status < 600;
  const reply = {
    status: 200,
    location: undefined,
    retryAfterMs: 0,
    text: JSON.stringify(json.error),
    json,
    isPage: false,
  };
  const why = whyRefused(isStatus ? status : 500, reply, null);
  return why.reason === 'broken'
    ? new NoAnswerError('died', `a reply that died on the server: ${why.message}`, why.said)
    : why;
}

const isCall = (calls: unknown): boolean =>
  Array.isArray(calls) ? calls.length > 0 : calls !== undefined && calls !== null;

function saidIn(content: string | z.output<typeof partSchema>[] | null | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(part => ((part.type ?? 'text') === 'text' ? (part.text ?? '') : '')).join('');
}

const BYTES_PER_TOKEN = 3;

function assumedTokens(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / BYTES_PER_TOKEN);
}
