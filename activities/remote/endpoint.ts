/** Asking an endpoint for JSON: its key, what its statuses mean, and patience. */
import { hostname } from 'node:os';
import { withoutSecret } from '../engine/secrets.js';
import { EndpointRefusedError, EndpointRejectedError, MalformedReplyError, MissingKeyError } from './errors.js';
import { type HttpReply, post } from './post.js';
import { REAL_CLOCK, type RetryClock, retried, TransientError } from './retry.js';
import type { EndpointSettings } from './settings.js';

/** Where keys are looked up: `process.env`, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Endpoint {
  /**
   * Posts `body` and returns what `read` makes of the reply, trying again within the budget. `read` throws
   * MalformedReplyError for what is none.
   * @throws EndpointUnavailableError, EndpointRefusedError, EndpointRejectedError, or the signal's reason
   */
  ask<T>(body: unknown, read: (reply: unknown) => T, signal: AbortSignal): Promise<T>;
}

export interface EndpointOptions {
  settings: EndpointSettings;
  /** Put behind the path of the settings' url. */
  path: string;
  /** What it is, for messages: "the judge (model m at https://…)". */
  what: string;
  environment: Environment;
  clock?: RetryClock | undefined;
}

/** @throws MissingKeyError when the environment lacks the key */
export function createEndpoint({ settings, path, what, environment, clock = REAL_CLOCK }: EndpointOptions): Endpoint {
  const { url, timeoutSeconds, retrySeconds } = settings;
  const key = keyOf(settings, environment);
  const headers: Record<string, string> = key === null ? {} : { Authorization: `Bearer ${key}` };
  const address = new URL(url);
  address.pathname = address.pathname.replace(/\/*$/, path);
  const once = async <T>(body: string, read: (reply: unknown) => T, signal: AbortSignal): Promise<T> => {
    const reply = await post(address, { headers, body, timeoutSeconds, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new TransientError(connectionFailure(error));
    });
    return readReply(withoutKey(reply, key), read, what, settings.keyVariable);
  };
  return {
    ask: (body, read, signal) => {
      const text = JSON.stringify(body);
      return retried(what, () => once(text, read, signal), { retrySeconds, signal, clock });
    },
  };
}

/** @throws MissingKeyError when the environment lacks the key */
export function checkKey(settings: EndpointSettings, environment: Environment): void {
  keyOf(settings, environment);
}

/** A header that cannot be sent would be quoted whole in the error about it. */
const SENDABLE = /^[\x21-\x7e]+$/;

function keyOf({ url, keyVariable }: EndpointSettings, environment: Environment): string | null {
  if (keyVariable === null) return null;
  const key = environment[keyVariable]?.trim() ?? '';
  if (SENDABLE.test(key)) return key;
  throw new MissingKeyError(
    `The environment variable ${keyVariable}, which holds the key for ${url}, ` +
      `${key === '' ? 'is not set' : 'holds blanks or characters that no key has'} where this worker runs (${hostname()}, ` +
      `process ${process.pid}): set it there and start the worker again, and the work goes on.`,
  );
}

/** Nothing that a server sends back carries the key any further: neither its text, nor what that comes to as JSON. */
function withoutKey({ status, headers, text }: HttpReply, key: string | null): Reply {
  const clean = (said: string) => withoutSecret(said, key);
  const { location, date, 'retry-after': retryAfter } = headers;
  return {
    status,
    location: location === undefined ? undefined : clean(location),
    date,
    retryAfter,
    text: clean(text),
    json: parsed(text, clean),
  };
}

interface Reply {
  status: number;
  location: string | undefined;
  date: string | undefined;
  retryAfter: string | undefined;
  text: string;
  /** undefined for what is no JSON. */
  json: unknown;
}

/** 408, 425 and 429 ask for another try, as do all of 500 and above. */
const TRANSIENT = new Set([408, 425, 429]);
/** About what was asked, not about who asks or where. */
const ABOUT_THE_REQUEST = new Set([400, 413, 422]);
/** Codes by which endpoints say that a 400 is about the settings after all. */
const ABOUT_THE_KEY = new Set(['invalid_api_key', 'API_KEY_INVALID']);
const ABOUT_THE_SETTINGS = new Set([
  'model_not_found',
  'unsupported_parameter',
  'unsupported_value',
  'unknown_parameter',
]);

function readReply<T>(reply: Reply, read: (reply: unknown) => T, what: string, keyVariable: string | null): T {
  const { json } = reply;
  const status = reply.status >= 200 && reply.status < 300 ? (statusInside(json) ?? reply.status) : reply.status;
  if (status >= 200 && status < 300) {
    if (json === undefined) throw new TransientError(`a reply that is no JSON: ${excerpt(reply.text)}`);
    try {
      return read(json);
    } catch (error) {
      if (error instanceof MalformedReplyError) throw new TransientError(error.message);
      throw error;
    }
  }
  const said = `HTTP ${status}: ${excerpt(messageIn(json) ?? reply.text)}`;
  if (status >= 500 || TRANSIENT.has(status)) throw new TransientError(said, retryAfterMs(reply));
  const codes = codesIn(json);
  const misset = codes.some(code => ABOUT_THE_SETTINGS.has(code));
  const keyless = codes.some(code => ABOUT_THE_KEY.has(code));
  if (ABOUT_THE_REQUEST.has(status) && !misset && !keyless) {
    throw new EndpointRejectedError(`${what} rejects the request: ${said}`);
  }
  const asKey = keyless || (!misset && KEY_STATUSES.has(status));
  throw new EndpointRefusedError(
    `${what} refuses: ${said}. ${asKey ? keyAdvice(status, keyVariable) : settingsAdvice(reply)}`,
    asKey ? 'environment' : 'spec',
  );
}

const KEY_STATUSES = new Set([401, 402, 403]);

function keyAdvice(status: number, keyVariable: string | null): string {
  if (status === 402) return 'The account has no credit left: top it up, and the work goes on.';
  return keyVariable === null
    ? 'It wants a key: put it into an environment variable of the workers and name that one as keyVariable.'
    : `Check the key in the workers' environment variable ${keyVariable}, and that it may use this model.`;
}

function settingsAdvice({ status, location }: Reply): string {
  if (status >= 300 && status < 400 && location !== undefined) {
    const to = URL.canParse(location) ? new URL(location) : null;
    return `Redirects are not followed: give the address it leads to as url${to ? ` (${to.origin}${to.pathname})` : ''}.`;
  }
  return 'Check url (the base, such as https://api.openai.com/v1), the model\'s name, and what "extra" adds to or takes from a request.';
}

/** Some gateways answer 200 and put the real status into the body. */
function statusInside(json: unknown): number | null {
  const code = fieldOf(fieldOf(json, 'error'), 'code');
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600 ? code : null;
}

function codesIn(json: unknown): string[] {
  const error = fieldOf(json, 'error');
  const details = fieldOf(error, 'details');
  const reasons = Array.isArray(details) ? details.map(detail => fieldOf(detail, 'reason')) : [];
  return [fieldOf(error, 'code'), fieldOf(error, 'type'), ...reasons].filter(code => typeof code === 'string');
}

function messageIn(json: unknown): string | null {
  const error = fieldOf(json, 'error');
  const message = fieldOf(error, 'message') ?? fieldOf(json, 'message') ?? fieldOf(json, 'detail') ?? error;
  return typeof message === 'string' ? message : null;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Retry-After, in seconds or as a date: by the clock of the server, which is not always that of this machine. */
function retryAfterMs({ retryAfter, date }: Reply): number {
  if (retryAfter === undefined) return 0;
  if (/^\s*\d+(\.\d+)?\s*$/.test(retryAfter)) return 1000 * Number(retryAfter);
  const now = date === undefined ? Number.NaN : Date.parse(date);
  const ms = Date.parse(retryAfter) - (Number.isFinite(now) ? now : Date.now());
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function connectionFailure(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: unknown[] };
  // Several addresses of one host, each with an error of its own.
  return message || errors?.map(connectionFailure).join('; ') || String(error);
}

function parsed(text: string, clean: (said: string) => string): unknown {
  try {
    return JSON.parse(text, (_, value) => (typeof value === 'string' ? clean(value) : value));
  } catch {
    return undefined;
  }
}

const EXCERPT = 300;

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return '(an empty body)';
  return line.length <= EXCERPT ? line : `${line.slice(0, EXCERPT)} …`;
}
