/** Asking a tracker's server: JSON there and back, with the key from the environment, and what its silence means. */
import { withoutSecret } from '../engine/secrets.js';
import { type Environment, post } from '../remote/index.js';
import { TrackerAwayError } from './tracker.js';

const TIMEOUT_SECONDS = 20;
const LONGEST_WORDS = 300;

export interface ServerOptions {
  /** What messages call it. */
  name: string;
  url: string;
  headers: Record<string, string>;
  environment: Environment;
  /** What must not be seen in messages. */
  secrets: readonly string[];
}

export type Ask = <T>(path: string, body: unknown, signal: AbortSignal) => Promise<T>;

/** The server's refusal of a request: its status, and what it said. */
export class RefusedError extends TrackerAwayError {
  constructor(
    message: string,
    readonly status: number,
    readonly said: string,
  ) {
    super(message);
  }
}

/** Posts to the server. @throws RefusedError, TrackerAwayError; the signal's reason */
export function server({ name, url, headers, environment, secrets }: ServerOptions): Ask {
  const shown = (text: string) => withoutSecret(text, ...secrets).trim();
  return async (path, body, signal) => {
    const address = new URL(url);
    address.pathname = address.pathname.replace(/\/*$/, path);
    const options = { headers, body: JSON.stringify(body), timeoutSeconds: TIMEOUT_SECONDS, signal, environment };
    const { status, text } = await post(address, options).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new TrackerAwayError(`${name} at ${url} does not answer (${shown(reasonOf(error))})`);
    });
    if (status < 200 || status >= 300) {
      const words = shown(text).replace(/\s+/g, ' ').slice(0, LONGEST_WORDS);
      throw new RefusedError(`${name} at ${url} answers ${path} with HTTP ${status}: ${words}`, status, text);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new TrackerAwayError(`${name} at ${url} answers ${path} with what is no JSON: is it a ${name} server?`);
    }
  };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
