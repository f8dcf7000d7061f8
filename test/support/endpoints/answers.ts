/** What endpoints of the table answer, and the shape of its cases. */
import { completion, type FakeChatRequest, type Fault } from '../fake-chat.js';

export interface EndpointCase {
  /** What the endpoint does, in a few words. */
  does: string;
  /** Where it is documented or was met. */
  source: string;
  /** Settings that the user made. */
  settings?: object;
  /** The questions hold thousands of tokens. */
  isLong?: boolean;
  /** In turn; the last one stays. */
  answers: Fault[];
  judge: string;
  evaluation: string;
}

export interface Provider {
  name: string;
  cases: EndpointCase[];
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Fault =>
  response =>
    void response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

export const text =
  (status: number, body: string, type = 'application/json'): Fault =>
  response =>
    void response.writeHead(status, { 'Content-Type': type }).end(body);

/** A verdict to judges, some answer to all others. */
export const fine = json(200, completion('[[YES]]'));
export const says = (content: string | null, rest?: Parameters<typeof completion>[1]) =>
  json(200, completion(content, rest));

/** Answers otherwise where the request is such. */
export const unless =
  (isFine: (request: FakeChatRequest) => boolean, otherwise: Fault, then: Fault = fine): Fault =>
  (response, request) =>
    (isFine(request) ? then : otherwise)(response, request);

/** Server-sent events: each a chunk as JSON, or a line as it stands. */
export const events = (...chunks: (object | string)[]): Fault =>
  text(
    200,
    chunks.map(chunk => (typeof chunk === 'string' ? `${chunk}\n\n` : `data: ${JSON.stringify(chunk)}\n\n`)).join(''),
    'text/event-stream; charset=utf-8',
  );

export const delta = (content: object, finish: string | null = null) => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: content, finish_reason: finish }],
});
