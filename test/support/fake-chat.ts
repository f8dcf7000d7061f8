/** An OpenAI-compatible endpoint on this machine that fails in every way that endpoints fail, on demand. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeChatRequest {
  path: string;
  headers: IncomingHttpHeaders;
  /** As parsed from JSON. */
  body: { model: string; messages: { role: string; content: string }[]; [field: string]: unknown };
}

/** What a request is answered with in a reply's stead. */
export type Fault = (response: ServerResponse, request: FakeChatRequest) => void;

const error = (
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: string | null = null,
): Fault => {
  return response => json(response, status, { error: { message, code } }, headers);
};

const raw =
  (status: number, text: string, type = 'application/json'): Fault =>
  response =>
    response.writeHead(status, { 'Content-Type': type }).end(text);

export const FAULTS = {
  hang: () => {},
  hangInBody: response => response.writeHead(200).write('{"choices": ['),
  reset: response => response.socket!.resetAndDestroy(),
  truncated: response => {
    response.writeHead(200, { 'Content-Length': '1000' }).write('{"choices": [{"mess');
    setImmediate(() => response.socket!.destroy());
  },
  trickle: response => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 5);
    response.on('close', () => clearInterval(timer));
  },
  huge: response => {
    const megabyte = ' '.repeat(1_000_000);
    response.writeHead(200);
    for (let k = 0; k < 12; k++) response.write(megabyte);
    response.end();
  },
  busy: error(429, 'Rate limit reached'),
  busyForSeconds: error(429, 'Rate limit reached', { 'Retry-After': '7' }),
  busyForHours: error(429, 'Rate limit reached', { 'Retry-After': '7200' }),
  broken: error(500, 'Internal error'),
  badGateway: raw(502, '<html><body>Bad gateway</body></html>', 'text/html'),
  overloaded: error(503, 'Overloaded'),
  html: raw(200, '<html><body>Welcome</body></html>', 'text/html'),
  cutJson: raw(200, '{"choices": [{"message": {"content": "Fi'),
  noChoices: raw(200, '{"choices": []}'),
  noMessage: raw(200, '{"choices": [{"finish_reason": "stop"}]}'),
  emptyBody: raw(200, ''),
  emptyReply: raw(200, JSON.stringify(completion(''))),
  filteredInside: raw(200, JSON.stringify(completion('It is', { finish: 'content_filter' }))),
  declined: raw(200, JSON.stringify(completion(null, { message: { refusal: 'I cannot.' } }))),
  callsTool: raw(200, JSON.stringify(completion(null, { finish: 'tool_calls', message: { tool_calls: [{}] } }))),
  busyInside: raw(200, '{"error": {"message": "Upstream is busy", "code": 429}}'),
  unauthorized: error(401, 'Incorrect API key provided'),
  echoesKey: (response, { headers }) =>
    json(response, 401, { error: { message: `Incorrect API key provided: ${headers.authorization}` } }),
  noCredit: error(402, 'Insufficient balance'),
  noQuota: error(429, 'You exceeded your current quota', {}, 'insufficient_quota'),
  forbidden: error(403, 'Not yours'),
  notFound: error(404, 'The model does not exist', {}, 'model_not_found'),
  badModel: error(400, 'No such model', {}, 'model_not_found'),
  badParameter: error(400, "Unsupported parameter: 'max_tokens'", {}, 'unsupported_parameter'),
  redirect: error(308, 'Elsewhere', { Location: 'https://elsewhere.example/v1/chat/completions?secret=1' }),
  tooLong: error(400, 'This model has a context of 4096 tokens', {}, 'context_length_exceeded'),
  tooLarge: error(413, 'Too large'),
  filtered: error(422, 'Filtered'),
} satisfies Record<string, Fault>;

/** 429 with a date to come back at, by a clock that says it is `now`. */
export const busyUntil = (date: Date, now = new Date()): Fault =>
  error(429, 'Rate limit reached', { 'Retry-After': date.toUTCString(), Date: now.toUTCString() });

/** A whole completion. */
export function completion(
  content: string | null,
  rest: { finish?: string; message?: object; usage?: object | null } = {},
) {
  const { finish = 'stop', message = {}, usage = { prompt_tokens: 10, completion_tokens: 2 } } = rest;
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content, ...message }, finish_reason: finish }],
    usage,
  };
}

export class FakeChat {
  requests: FakeChatRequest[] = [];
  /** The next requests' answers, one each; null: a proper reply. */
  next: (Fault | null)[] = [];
  /** Answers every request that `next` leaves. */
  always: Fault | null = null;
  /** What the model says; a whole completion where it is an object. */
  reply: (request: FakeChatRequest) => string | object = () => 'Fine.';
  /** How long a proper reply takes. */
  delayMs = 0;
  /** Most requests that were under way at once. */
  mostAtOnce = 0;
  url = '';
  private underWay = 0;
  private server: Server | undefined;

  /** @returns itself, with its base address as `url`. */
  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      this.underWay++;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
      response.on('close', () => this.underWay--);
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        this.answer({ path: request.url!, headers: request.headers, body }, response);
      });
    });
    await new Promise<void>(started => this.server!.listen(0, '127.0.0.1', started));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
    return this;
  }

  async stop(): Promise<void> {
    this.server!.closeAllConnections();
    await new Promise(stopped => this.server!.close(stopped));
  }

  private answer(request: FakeChatRequest, response: ServerResponse): void {
    this.requests.push(request);
    const fault = this.next.length > 0 ? this.next.shift()! : this.always;
    if (fault) {
      fault(response, request);
      return;
    }
    const said = this.reply(request);
    const reply = () => json(response, 200, typeof said === 'string' ? completion(said) : said);
    if (this.delayMs > 0) setTimeout(reply, this.delayMs);
    else reply();
  }
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** A clock that waits for nothing and writes down what it was asked to wait; time passes only by waiting. */
export function hastyClock() {
  const waits: number[] = [];
  let now = 0;
  return {
    waits,
    now: () => now,
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      waits.push(milliseconds);
      now += milliseconds;
    },
    random: () => 1,
  };
}
