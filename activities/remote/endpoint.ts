/** Asking an endpoint for JSON: its key, what its answers mean, and patience. */
import { ProxySettingError, proxyFor, shownProxy, withoutProxySecrets } from '../engine/proxies.js';
import { EndpointRejectedError, NoAnswerError, refusal } from './errors.js';
import { type HeaderSettings, secretHeaders } from './headers.js';
import { CAUSES, type CauseName } from './outcomes.js';
import { type Environment, NoWholeReplyError, post } from './post.js';
import { excerpt, statusInside, whyRefused } from './refusals.js';
import { type Reply, readReply } from './reply.js';
import { REAL_CLOCK, type RetryClock, retried, TransientError } from './retry.js';
import type { EndpointSettings } from './settings.js';

export interface Asking<T> {
  /** Makes of the reply what the caller wants. Throws NoAnswerError for what is no answer. */
  read(reply: unknown): T;
  signal: AbortSignal;
  /** For one try; see `timeoutOf`. */
  timeoutSeconds: number;
}

export interface Endpoint {
  /**
   * Posts `body` and returns what `read` makes of the reply, trying again within the budget.
   * @throws EndpointUnavailableError, EndpointRefusedError, EndpointRejectedError, or the signal's reason
   */
  ask<T>(body: object, asking: Asking<T>): Promise<T>;
  /** Whether it has answered this process before. */
  isKnown(): boolean;
}

export interface EndpointOptions {
  settings: EndpointSettings;
  /** Put behind the path of the settings' url. */
  path: string;
  /** What it is, for messages: "the judge (model m at https://…)". */
  what: string;
  environment: Environment;
  clock?: RetryClock | undefined;
  /** How a request is put otherwise, once and for all that follow, by what the endpoint says that it wants. */
  otherwise?: Partial<Record<CauseName, (body: object) => object>>;
}

/** Endpoints that gave this process an answer: of one of them a web page is a passing fault. */
const known = new Set<string>();

/** @throws MissingKeyError when the environment lacks the key or a header's value */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { settings, path, what, environment, clock = REAL_CLOCK, otherwise = {} } = options;
  const { url, retrySeconds, keyVariable } = settings;
  const { headers, secrets } = secretHeaders(settings, environment);
  const address = new URL(url);
  address.pathname = address.pathname.replace(/\/*$/, path);
  const learnt = new Map<CauseName, (body: object) => object>();

  const once = async <T>(body: object, asking: Asking<T>): Promise<T> => {
    const { signal, timeoutSeconds, read } = asking;
    const text = JSON.stringify(body);
    const reply = await post(address, { headers, body: text, timeoutSeconds, signal, environment }).catch(error => {
      signal.throwIfAborted();
      throw whyNoReply(error, address, environment);
    });
    const clean = readReply(reply, secrets);
    const answer = answerIn(clean, body, read, known.has(address.href));
    known.add(address.href);
    return answer;
  };

  const attempt = async <T>(body: object, asking: Asking<T>): Promise<T> => {
    const put = [...learnt.values()].reduce((rest, change) => change(rest), body);
    try {
      return await once(put, asking);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      const { reason, said } = error;
      const change = otherwise[reason];
      if (change && JSON.stringify(change(put)) !== JSON.stringify(put)) {
        learnt.set(reason, change);
        return attempt(body, asking);
      }
      const { outcome, atMost, advice } = CAUSES[reason];
      const circumstances = { url, keyVariable, ...said };
      if (outcome === 'again') {
        const message = advice ? `${error.message}. ${advice(circumstances)}` : error.message;
        const leftOut =
          atMost === undefined
            ? undefined
            : { atMost, by: new EndpointRejectedError(`${what}: ${error.message}`, reason) };
        throw new TransientError(message, said.retryAfterMs, leftOut);
      }
      if (outcome === 'left out') {
        const hint = advice ? `. ${advice(circumstances)}` : '';
        throw new EndpointRejectedError(`${what} rejects the request: ${error.message}${hint}`, reason);
      }
      throw refusal(reason, what, error.message, circumstances);
    }
  };
  return {
    isKnown: () => known.has(address.href),
    ask: (body, asking) => retried(what, () => attempt(body, asking), { retrySeconds, signal: asking.signal, clock }),
  };
}

/** @throws MissingKeyError when the environment lacks the key or a header's value */
export function checkKey(settings: HeaderSettings, environment: Environment): void {
  secretHeaders(settings, environment);
}

function answerIn<T>(reply: Reply, sent: object, read: (reply: unknown) => T, isKnown: boolean): T {
  const fine = reply.status >= 200 && reply.status < 300;
  const status = fine ? (statusInside(reply.json) ?? reply.status) : reply.status;
  if (status < 200 || status >= 300) throw whyRefused(status, reply, sent);
  if (reply.json !== undefined) return read(reply.json);
  const said = excerpt(reply.text);
  if (reply.isPage && !isKnown) throw new NoAnswerError('page', `a web page in place of JSON: ${said}`);
  throw new NoAnswerError('no JSON', `a reply that is no JSON: ${said}`);
}

/** Codes of TLS: a certificate that is not trusted, or a server that does not speak it. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS|ERR_SSL|^EPROTO$/;
/** Of undici, and errors of programming: another try would do the same. */
const PROGRAMMING = /^(UND_ERR_(INVALID|NOT_SUPPORTED)|ERR_INVALID)/;

/** What a request without a reply means. Errors of programming stay what they are. */
function whyNoReply(error: unknown, address: URL, environment: Environment): unknown {
  if (error instanceof ProxySettingError) return new NoAnswerError('proxy', error.message);
  if (error instanceof NoWholeReplyError) return new NoAnswerError(error.late ? 'silence' : 'no JSON', error.message);
  const code = codeOf(error);
  const proxy = proxyFor(address, environment);
  const said =
    withoutProxySecrets(connectionFailure(error), environment) + (proxy ? `, by way of ${shownProxy(proxy)}` : '');
  const refusing = /Proxy response \((\d+)\)|Proxy Authentication/.exec(said);
  if (refusing) return new NoAnswerError(Number(refusing[1] ?? 407) < 500 ? 'proxy' : 'connection', said);
  if (code === null || PROGRAMMING.test(code)) return error;
  return new NoAnswerError(CERTIFICATE.test(code) ? 'certificate' : 'connection', said);
}

function codeOf(error: unknown): string | null {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof cause === 'object' && cause !== null ? codeOf(cause) : null;
}

function connectionFailure(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: unknown[] };
  // Several addresses of one host, each with an error of its own.
  return message || errors?.map(connectionFailure).join('; ') || String(error);
}
