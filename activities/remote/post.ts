/**
 * One HTTP request. By node:http, not fetch: fetch gives up on replies whose first byte takes more than 300 s, as those of
 * models that think for long do, and cannot be told otherwise. Redirects are not followed, so no key goes elsewhere.
 */
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface PostOptions {
  headers: Record<string, string>;
  body: string;
  timeoutSeconds: number;
  signal: AbortSignal;
}

const MAX_REPLY_BYTES = 10_000_000;

/** The reply, whatever its status; throws the signal's reason when aborted, an Error otherwise when there is no whole reply. */
export function post(url: URL, { headers, body, timeoutSeconds, signal }: PostOptions): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        'Content-Length': Buffer.byteLength(body),
        ...headers,
      },
    });
    const settle = (end: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      end();
      request.destroy();
    };
    const fail = (reason: unknown) => settle(() => reject(reason));
    const abort = () => fail(signal.reason);
    const timer = setTimeout(() => fail(new Error(`no whole reply within ${timeoutSeconds} s`)), 1000 * timeoutSeconds);
    signal.addEventListener('abort', abort, { once: true });

    request.on('error', fail);
    request.on('response', response => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_REPLY_BYTES) fail(new Error(`the reply is longer than ${MAX_REPLY_BYTES / 1e6} MB`));
      });
      response.on('end', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.end(body);
  });
}
