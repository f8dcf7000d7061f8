/** A client of any OpenAI-compatible endpoint: one question, one reply. */
import { type ChatReply, type ChatUsage, readCompletion } from './completion.js';
import { createEndpoint } from './endpoint.js';
import type { Environment } from './post.js';
import type { RetryClock } from './retry.js';
import { type ChatSettings, timeoutOf } from './settings.js';

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

export interface AskOptions {
  signal: AbortSignal;
  /** Called with every reply that was paid for. */
  onUsage?: (usage: ChatUsage) => void;
}

export interface ChatClient {
  readonly settings: ChatSettings;
  /** @throws EndpointUnavailableError, EndpointRefusedError, EndpointRejectedError, or the signal's reason */
  ask(request: ChatRequest, options: AskOptions): Promise<ChatReply>;
  /** Whether the endpoint has answered this process before. */
  isKnown(): boolean;
}

/** @throws MissingKeyError when the environment lacks the key that the settings name */
export function createChatClient(settings: ChatSettings, environment: Environment, clock?: RetryClock): ChatClient {
  const endpoint = createEndpoint({
    settings,
    path: '/chat/completions',
    what: nameOf(settings),
    environment,
    clock,
    otherwise: { 'limit field': withNewerLimit },
  });
  return {
    settings,
    isKnown: endpoint.isKnown,
    ask: (request, { signal, onUsage }) =>
      endpoint.ask(requestBody(settings, request), {
        read: json =>
          readCompletion(
            json,
            request.messages.map(({ content }) => content),
            onUsage,
          ),
        signal,
        timeoutSeconds: timeoutOf(settings, request.maxTokens),
      }),
  };
}

/** An endpoint, for messages. */
export const nameOf = ({ url, model }: ChatSettings): string => `${url} (model ${model})`;

function requestBody(settings: ChatSettings, request: ChatRequest): Record<string, unknown> {
  const { messages, temperature, topP, maxTokens, seed } = request;
  const body = {
    model: settings.model,
    messages,
    temperature,
    // 1 cuts nothing off, and some models take no top_p beside a temperature.
    top_p: topP === 1 ? undefined : topP,
    [settings.maxTokensField]: maxTokens,
    seed,
    ...(settings.stream && { stream: true, stream_options: { include_usage: true } }),
    ...settings.extra,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
}

/** As OpenAI's reasoning models want it. */
function withNewerLimit(body: object): object {
  const { max_tokens, ...rest } = body as Record<string, unknown>;
  return max_tokens === undefined ? body : { ...rest, max_completion_tokens: max_tokens };
}
