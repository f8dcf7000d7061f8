/** A client of any OpenAI-compatible endpoint: one question, one reply. */
import { z } from 'zod';
import { createEndpoint, type Environment } from './endpoint.js';
import { MalformedReplyError } from './errors.js';
import type { RetryClock } from './retry.js';
import type { ChatSettings } from './settings.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  temperature: number;
  topP: number;
  maxTokens: number;
  seed?: number;
}

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
  /** `length`: cut off at maxTokens; `other`: ended by a filter, or by a call of a tool. */
  finish: 'stop' | 'length' | 'other';
  /** As the endpoint counts; where it does not, a token for every 3 bytes, so that budgets hold. */
  usage: ChatUsage;
}

export interface AskOptions {
  signal: AbortSignal;
  /** Throws MalformedReplyError for a reply that will not do: it is then asked for again, within the budget. */
  accept?: (reply: ChatReply) => void;
  /** Called with every reply that was paid for, accepted or not. */
  onUsage?: (usage: ChatUsage) => void;
}

export interface ChatClient {
  readonly settings: ChatSettings;
  /** @throws EndpointUnavailableError, EndpointRefusedError, EndpointRejectedError, or the signal's reason */
  ask(request: ChatRequest, options: AskOptions): Promise<ChatReply>;
}

/** @throws MissingKeyError when the environment lacks the key that the settings name */
export function createChatClient(settings: ChatSettings, environment: Environment, clock?: RetryClock): ChatClient {
  const what = `${settings.url} (model ${settings.model})`;
  const endpoint = createEndpoint({ settings, path: '/chat/completions', what, environment, clock });
  return {
    settings,
    ask: (request, { signal, accept, onUsage }) => {
      const read = (json: unknown) => {
        const reply = readChat(json, request);
        onUsage?.(reply.usage);
        accept?.(reply);
        return reply;
      };
      return endpoint.ask(requestBody(settings, request), read, signal);
    },
  };
}

function requestBody(settings: ChatSettings, request: ChatRequest): Record<string, unknown> {
  const { messages, temperature, topP, maxTokens, seed } = request;
  const body = {
    model: settings.model,
    messages,
    temperature,
    top_p: topP,
    [settings.maxTokensField]: maxTokens,
    seed,
    ...settings.extra,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
}

const thinkingSchema = z.string().nullish();

/** What is used of a reply; endpoints add fields of their own, and leave out what they have not. */
const replySchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          /** Text, or parts of which those of the type `text` are said. */
          content: z
            .union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))])
            .nullish(),
          reasoning_content: thinkingSchema,
          reasoning: thinkingSchema,
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

const FINISH: Record<string, ChatReply['finish']> = { stop: 'stop', length: 'length' };

function readChat(json: unknown, { messages }: ChatRequest): ChatReply {
  const parsed = replySchema.safeParse(json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new MalformedReplyError(`a reply that is no chat completion: ${path.join('.') || 'it'}: ${message}`);
  }
  const { choices, usage } = parsed.data;
  const [{ message, finish_reason }] = choices as [(typeof choices)[number]];
  const finish = FINISH[finish_reason ?? 'stop'] ?? 'other';
  const thinking = message.reasoning_content || message.reasoning || '';
  const said = saidIn(message.content);
  const text = said !== '' || thinking === '' ? said : finish === 'stop' ? thinking : `<think>\n${thinking}`;
  return {
    text,
    finish,
    usage: usage
      ? { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens }
      : {
          promptTokens: assumedTokens(messages.map(m => m.content)),
          completionTokens: assumedTokens([thinking, said]),
        },
  };
}

function saidIn(content: string | { type: string; text?: string | undefined }[] | null | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map(part => (part.type === 'text' ? (part.text ?? '') : '')).join('');
}

const BYTES_PER_TOKEN = 3;

function assumedTokens(texts: string[]): number {
  return Math.ceil(texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / BYTES_PER_TOKEN);
}
