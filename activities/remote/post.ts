/**
 * One HTTP request, through a proxy where the environment names one. No limit of undici's own: it gives up on replies whose
 * first byte takes more than 300 s, as those of models that think for long do. Redirects are not followed, so no key goes
 * elsewhere.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'undici';
import { throughProxies } from '../engine/proxies.js';

/** Where keys, addresses and proxies are looked up: `process.env`, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface PostOptions {
  headers: Record<string, string>;
  body: string;
  /** For the whole reply; of a reply in pieces (server-sent events) until the next piece with data. */
  timeoutSeconds: number;
  signal: AbortSignal;
  environment: Environment;
}

/** No whole reply came in time, or one without end. */
export class NoWholeReplyError extends Error {
  override readonly name = 'NoWholeReplyError';
  constructor(
    message: string,
    /** Whether it was the time. */
    readonly late: boolean,
  ) {
    super(message);
  }
}

const MAX_REPLY_BYTES = 10_000_000;
/** Each token is wrapped in some hundred bytes. */
const MAX_STREAMED_BYTES = 200_000_000;

/** The reply, whatever its status; throws the signal's reason when aborted, an Error otherwise when there is no whole reply. */
export async function post(
  url: URL,
  { headers, body, timeoutSeconds, signal, environment }: PostOptions,
): Promise<HttpReply> {
  signal.throwIfAborted();
  const late = new AbortController();
  const until = (limited: string) =>
    setTimeout(
      () => late.abort(new NoWholeReplyError(`no ${limited} within ${timeoutSeconds} s`, true)),
      1000 * timeoutSeconds,
    );
  let timer = until('whole reply');
  try {
    const response = await request(url, {
      method: 'POST',
      dispatcher: throughProxies(environment),
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        ...headers,
      },
      body,
      signal: AbortSignal.any([signal, late.signal]),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const streamed = isEventStream(response.headers);
    const most = streamed ? MAX_STREAMED_BYTES : MAX_REPLY_BYTES;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > most) throw new NoWholeReplyError(`the reply is longer than ${most / 1e6} MB`, false);
      if (streamed && BRINGS_TEXT.test(chunk.toString('latin1'))) {
        clearTimeout(timer);
        timer = until('further piece of the reply');
      }
    }
    return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    signal.throwIfAborted();
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Text of an answer or of thinking. Comments, pings and empty pieces say that the connection lives, not that an answer comes. */
const BRINGS_TEXT = /"(?:content|reasoning|reasoning_content|thinking|text|arguments)"\s*:\s*"[^"]/;

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return /^text\/event-stream\b/i.test(String(headers['content-type'] ?? ''));
}
