/** One request to a service, through a proxy where the environment names one. Its key stays out of every message. */
import { hostname } from 'node:os';
import { request } from 'undici';
import { EngineRequestError } from '../../protocol/index.js';
import { proxyFor, shownProxy, throughProxies, withoutProxySecrets } from '../../proxies.js';
import { withoutSecret } from '../../secrets.js';
import type { WholeSettings } from '../settings.js';

export const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

export interface Call {
  /** Below /api/v1. */
  path: string;
  /** An object is sent as JSON, bytes as protobuf; none: it is a GET. */
  body?: object | Uint8Array;
  method?: 'DELETE';
  /** What the answer is to be. */
  accept?: string;
  /** For the whole answer. */
  milliseconds: number;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  status: number;
  type: string;
  retryAfterMs: number;
  bytes: Buffer;
}

/** No answer came: the connection was refused or broke, or it took too long. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  constructor(
    message: string,
    /** Its time was up: whether it was received is not known. */
    readonly late: boolean,
  ) {
    super(message);
  }
}

/** More than any answer has but an archive, which is for whole adapters. */
const LONGEST_ANSWER = 2 ** 31;
const MOST_REDIRECTS = 3;
const SENDABLE = /^[\x21-\x7e]+$/;

export class Http {
  readonly base: URL;
  private readonly key: string | null;

  /** @throws EngineRequestError for an address or a key that cannot be used */
  constructor(private readonly settings: WholeSettings) {
    this.base = baseOf(settings.url);
    this.key = keyOf(settings);
  }

  /** The service as messages name it. */
  get name(): string {
    return `the training service at ${this.base.origin}`;
  }

  /** Any text without what is secret in it. */
  safe(text: string): string {
    return withoutProxySecrets(withoutSecret(text, this.key), this.settings.environment);
  }

  async send(call: Call): Promise<Answer> {
    let url = new URL(call.path, this.base);
    for (let redirects = 0; ; redirects++) {
      const { location, ...answer } = await this.once(url, call);
      if (location === null || redirects === MOST_REDIRECTS || call.body !== undefined) return answer;
      url = new URL(location, url);
    }
  }

  private async once(url: URL, call: Call): Promise<Answer & { location: string | null }> {
    const { body, accept = JSON_TYPE, milliseconds, signal } = call;
    signal?.throwIfAborted();
    const late = AbortSignal.timeout(milliseconds);
    const own = url.origin === this.base.origin;
    try {
      const response = await request(url, {
        method: call.method ?? (body === undefined ? 'GET' : 'POST'),
        dispatcher: throughProxies(this.settings.environment),
        headers: {
          Accept: accept,
          'Accept-Encoding': 'identity',
          // What the service sends on to, as a bucket, is not to see the key.
          ...(own && this.key !== null && { 'X-API-Key': this.key }),
          ...(body && { 'Content-Type': body instanceof Uint8Array ? PROTOBUF : JSON_TYPE }),
        },
        body: body === undefined || body instanceof Uint8Array ? (body ?? null) : JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, late]) : late,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const bytes = await collected(response.body);
      const { location, 'content-type': type, 'retry-after': after } = response.headers;
      const moved = response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string';
      return {
        status: response.statusCode,
        type: String(type ?? ''),
        retryAfterMs: 1000 * (Number(after) || 0),
        bytes,
        location: moved ? location : null,
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof EngineRequestError) throw error;
      throw this.noAnswer(url, error, late.aborted, milliseconds);
    }
  }

  private noAnswer(url: URL, error: unknown, late: boolean, milliseconds: number): NoAnswerError {
    const proxy = proxyFor(url, this.settings.environment);
    const way = proxy ? ` by way of ${shownProxy(proxy)}` : '';
    const { code, message } = error as NodeJS.ErrnoException;
    const why = late ? `no answer within ${milliseconds / 1000} s` : `${message || code}`;
    return new NoAnswerError(this.safe(`${this.name}${way} cannot be reached: ${why}`), late);
  }
}

async function collected(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LONGEST_ANSWER)
      throw new EngineRequestError(`an answer of the training service is longer than ${LONGEST_ANSWER} bytes`);
  }
  return Buffer.concat(chunks);
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new EngineRequestError(
      `the training service's address is "${withoutPassword(text)}"; expected one such as http://trainer:8000, without a name or password: its key goes into the environment`,
    );
  const path = url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  return new URL(`${path}/api/v1/`, url.origin);
}

const withoutPassword = (text: string): string => text.replace(/\/\/[^/@]*@/, '//…@');

function keyOf({ keyVariable, environment, url }: WholeSettings): string | null {
  if (keyVariable === null) return null;
  const key = environment[keyVariable]?.trim() ?? '';
  if (SENDABLE.test(key)) return key;
  throw new EngineRequestError(
    `the environment variable ${keyVariable}, which holds the key for ${withoutPassword(url)}, ` +
      `${key === '' ? 'is not set' : 'holds blanks or characters that no key has'} where this worker runs (${hostname()}, process ${process.pid}): set it there and start the worker again`,
    'unsupported',
  );
}
