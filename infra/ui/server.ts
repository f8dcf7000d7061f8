/** The web page's server: answers GET from the store and from whatever Temporal server answers, and changes nothing. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  CorruptArtifactError,
  MissingArtifactError,
  StoreAwayError,
  StoreMissingError,
  StoreNameError,
} from '../../activities/store/index.js';
import type { Answers } from './answers.js';
import { NotThereError } from './errors.js';
import { fileAt } from './files.js';
import { HEADERS, refusal } from './guard.js';

/** Of errors whose message says all that a reader needs. */
const STATUS: [new (...args: never[]) => Error, number][] = [
  [StoreNameError, 400],
  [NotThereError, 404],
  [MissingArtifactError, 404],
  [CorruptArtifactError, 500],
  [StoreAwayError, 503],
  [StoreMissingError, 503],
];

export interface UiServerOptions {
  answers: Answers;
  /** Host names that the server is reached by, beside localhost and addresses. */
  names: readonly string[];
  /** Of errors that should not happen. */
  log(line: string): void;
}

export function uiServer({ answers, names, log }: UiServerOptions): Server {
  return createServer((request, response) => {
    void respond(request, response).catch(error => {
      log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      response.destroy();
    });
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = refusal(request, names);
    if (refused !== null) return sendJson(request, response, 403, { error: refused });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendJson(request, response, 405, { error: `${request.method}: this server is only read from` });
    }
    const path = segmentsOf(request.url ?? '/');
    if (path === null) return sendJson(request, response, 400, { error: 'the address cannot be read' });
    if (path[0] !== 'data') {
      const file = await fileAt(path);
      if (file) return send(request, response, 200, file);
      return sendJson(request, response, 404, { error: `there is no /${path.join('/')}` });
    }
    try {
      sendJson(request, response, 200, await answers.at(path.slice(1)));
    } catch (error) {
      const known = STATUS.find(([kind]) => error instanceof kind);
      if (!known) log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      sendJson(request, response, known?.[1] ?? 500, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** The decoded segments of a request's path; null of one that cannot be decoded. */
function segmentsOf(url: string): string[] | null {
  try {
    const { pathname } = new URL(url, 'http://localhost');
    return pathname.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return null;
  }
}

function sendJson(request: IncomingMessage, response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  send(request, response, status, { type: 'application/json; charset=utf-8', body });
}

/** What has not changed since the browser last had it is not sent again. */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { type, body }: { type: string; body: Buffer },
): void {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const isKnown = status === 200 && request.headers['if-none-match'] === etag;
  response.writeHead(isKnown ? 304 : status, {
    ...HEADERS,
    'cache-control': 'no-cache',
    etag,
    ...(isKnown ? {} : { 'content-type': type, 'content-length': body.length }),
  });
  response.end(isKnown || request.method === 'HEAD' ? undefined : body);
}
