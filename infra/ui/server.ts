/**
 * The web page's server: answers GET from the store and from whatever Temporal server answers, and changes nothing; only
 * below /control/, where it was started so, it obeys whoever brings its token.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { InvalidSpecError } from '../../activities/spec/index.js';
import {
  CorruptArtifactError,
  MissingArtifactError,
  StoreAwayError,
  StoreMissingError,
  StoreNameError,
} from '../../activities/store/index.js';
import { UserError } from '../user-error.js';
import { type Answers, TextFile } from './answers.js';
import type { ControlToken, RunControl } from './control.js';
import { BadRequestError, NotThereError } from './errors.js';
import { Feeds } from './feeds.js';
import { fileAt } from './files.js';
import { HEADERS, refusal } from './guard.js';
import { readBody } from './request-body.js';

/** Of errors whose message says all that a reader needs. */
const STATUS: [new (...args: never[]) => Error, number][] = [
  [StoreNameError, 400],
  [BadRequestError, 400],
  [UserError, 409],
  [InvalidSpecError, 422],
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
  /** Null where nothing may be done. */
  control: { runs: RunControl; token: ControlToken } | null;
  /** Of errors that should not happen. */
  log(line: string): void;
}

interface Content {
  type: string;
  body: Buffer;
  /** The name that it is saved under; shown in the browser without. */
  file?: string;
}

interface Failed {
  status: number;
  text: string;
}

export function uiServer({ answers, names, control, log }: UiServerOptions): Server {
  const answerAt = (address: string) => {
    const { pathname, searchParams } = new URL(address, 'http://localhost');
    return answers.at(segmentsOf(pathname), searchParams);
  };
  const feeds = new Feeds(
    async address => JSON.stringify(await answerAt(address)),
    error => JSON.stringify({ error: failed(error).text }),
  );
  return createServer((request, response) => {
    void respond(request, response).catch(error => {
      log(textOf(error));
      response.destroy();
    });
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = refusal(request, names);
    if (refused !== null) return sendJson(request, response, 403, { error: refused });
    let path: string[];
    try {
      path = segmentsOf(new URL(request.url ?? '/', 'http://localhost').pathname);
    } catch {
      return sendJson(request, response, 400, { error: 'the address cannot be read' });
    }
    try {
      if (path[0] === 'control' && request.method === 'POST') return await obey(request, response, path.slice(1));
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        return sendJson(request, response, 405, { error: `${request.method}: this server is only read from` });
      }
      await give(request, response, path);
    } catch (error) {
      const { status, text } = failed(error);
      sendJson(request, response, status, { error: text });
    }
  }

  async function give(request: IncomingMessage, response: ServerResponse, path: string[]): Promise<void> {
    const [first] = path;
    const rest = (request.url ?? '/').replace(/^\/[^/?]*\/?/, '/');
    if (first === 'live') return watch(response, rest);
    if (first === 'data') {
      const answer = await answerAt(rest);
      if (!(answer instanceof TextFile)) return sendJson(request, response, 200, answer);
      const { name, type, text } = answer;
      return send(request, response, 200, { type, body: Buffer.from(text), file: name });
    }
    const file = await fileAt(path);
    if (!file) throw new NotThereError(`there is no /${path.join('/')}`);
    send(request, response, 200, file);
  }

  function watch(response: ServerResponse, address: string): void {
    if (!feeds.isOpen) throw new BadRequestError('too many pages are open: close some');
    response.writeHead(200, { ...HEADERS, 'cache-control': 'no-store', 'content-type': 'text/event-stream' });
    feeds.watch(address, response);
  }

  async function obey(request: IncomingMessage, response: ServerResponse, path: string[]): Promise<void> {
    if (!control) throw new BadRequestError('this server is only read from: start it with --control');
    if (!control.token.matches(request.headers['x-longhaul-token'])) {
      const error = 'the token is not this server’s: open the address that it printed when it was started';
      return sendJson(request, response, 403, { error });
    }
    const [run, action] = path.length === 2 ? path : [null, path[0]];
    if (action === undefined || path.length > 2) throw new NotThereError(`there is no /control/${path.join('/')}`);
    const said = await control.runs.act(action, run!, await readBody(request));
    sendJson(request, response, 200, { said });
  }

  function failed(error: unknown): Failed {
    const known = STATUS.find(([kind]) => error instanceof kind);
    if (!known) log(textOf(error));
    return { status: known?.[1] ?? 500, text: error instanceof Error ? error.message : String(error) };
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** @throws URIError for a path that cannot be decoded */
const segmentsOf = (pathname: string): string[] => pathname.split('/').filter(Boolean).map(decodeURIComponent);

function sendJson(request: IncomingMessage, response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  send(request, response, status, { type: 'application/json; charset=utf-8', body });
}

/** What has not changed since the browser last had it is not sent again. */
function send(request: IncomingMessage, response: ServerResponse, status: number, { type, body, file }: Content): void {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const isKnown = status === 200 && request.headers['if-none-match'] === etag;
  response.writeHead(isKnown ? 304 : status, {
    ...HEADERS,
    'cache-control': 'no-cache',
    etag,
    ...(isKnown ? {} : { 'content-type': type, 'content-length': body.length }),
    ...(file !== undefined && { 'content-disposition': `attachment; filename="${file}"` }),
  });
  response.end(isKnown || request.method === 'HEAD' ? undefined : body);
}
