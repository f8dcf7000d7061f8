/** What came back, as text and as JSON, without the secrets that were sent. */
import { withoutSecret } from '../engine/secrets.js';
import { gatherEvents } from './events.js';
import { parsedJson } from './json.js';
import { type HttpReply, isEventStream } from './post.js';

export interface Reply {
  status: number;
  location: string | undefined;
  /** How long the server asks to be left alone. */
  retryAfterMs: number;
  text: string;
  /** undefined for what is no JSON; of a reply in pieces the whole that they come to. */
  json: unknown;
  /** A web page. */
  isPage: boolean;
}

/** Nothing that a server sends back carries a secret any further: neither its text, nor what that comes to as JSON. */
export function readReply({ status, headers, text }: HttpReply, secrets: readonly string[]): Reply {
  const clean = (said: string) => withoutSecret(said, ...secrets);
  const { location } = headers;
  // Pieces first become a whole, for a secret may be spread over several.
  const json = isEventStream(headers) ? gatherEvents(text) : parsedJson(text);
  return {
    status,
    location: location === undefined ? undefined : clean(location),
    retryAfterMs: retryAfterMs(headers),
    text: clean(text),
    json: cleaned(json, clean),
    isPage: json === undefined && (/html/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text)),
  };
}

function cleaned(value: unknown, clean: (said: string) => string): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(one => cleaned(one, clean));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [clean(name), cleaned(one, clean)]));
}

/** Retry-After, in milliseconds, in seconds or as a date: by the clock of the server, which is not always that of this machine. */
function retryAfterMs(headers: HttpReply['headers']): number {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const { date, 'retry-after': after } = headers;
  if (after === undefined) return 0;
  if (/^\s*\d+(\.\d+)?\s*$/.test(after)) return 1000 * Number(after);
  const now = date === undefined ? Number.NaN : Date.parse(date);
  const ms = Date.parse(after) - (Number.isFinite(now) ? now : Date.now());
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
