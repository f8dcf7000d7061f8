/** The key and the headers of an endpoint, from the workers' environment: settings name variables, never what they hold. */
import { hostname } from 'node:os';
import { isSecretName } from '../engine/secrets.js';
import { EndpointRefusedError, MissingKeyError } from './errors.js';
import type { Environment } from './post.js';
import type { EndpointSettings } from './settings.js';

export type HeaderSettings = Pick<EndpointSettings, 'url' | 'keyVariable' | 'keyHeader' | 'headers'>;

/** A value that cannot be sent would be quoted whole in the error about it. */
const SENDABLE = { key: /^[\x21-\x7e]+$/, header: /^[\x20-\x7e]+$/ };

/**
 * What is sent, and what of it no message may hold: the key, and headers whose names or variables speak of secrets; others, a
 * title say, may well stand in an answer.
 * @throws MissingKeyError, EndpointRefusedError
 */
export function secretHeaders(
  { url, keyVariable, keyHeader, headers }: HeaderSettings,
  environment: Environment,
): { headers: Record<string, string>; secrets: string[] } {
  const sent: Record<string, string> = {};
  const secrets: string[] = [];
  const take = (variable: string, kind: keyof typeof SENDABLE, holds: string) => {
    const value = environment[variable]?.trim() ?? '';
    if (!SENDABLE[kind].test(value)) throw missing(variable, holds, url, value);
    if (kind === 'key' || isSecretName(variable) || isSecretName(holds)) secrets.push(value);
    return value;
  };
  const keyed = (keyHeader ?? 'Authorization').toLowerCase();
  for (const [name, variable] of Object.entries(headers ?? {})) {
    if (keyVariable !== null && name.toLowerCase() === keyed) {
      throw new EndpointRefusedError(`headers.${name}: keyVariable is sent in it; expected one of the two`, 'spec');
    }
    sent[name] = take(variable, 'header', `the header ${name}`);
  }
  if (keyVariable !== null) {
    const key = take(keyVariable, 'key', 'the key');
    sent[keyHeader ?? 'Authorization'] = keyHeader === undefined ? `Bearer ${key}` : key;
  }
  // The parts of a value such as "Bearer …" are no less secret than the whole.
  return { headers: sent, secrets: secrets.flatMap(value => [value, ...value.split(/\s+/).slice(1)]) };
}

function missing(variable: string, holds: string, url: string, value: string): MissingKeyError {
  return new MissingKeyError(
    `The environment variable ${variable}, which holds ${holds} for ${url}, ` +
      `${value === '' ? 'is not set' : 'holds blanks or characters that no key has'} where this worker runs (${hostname()}, ` +
      `process ${process.pid}): set it there and start the worker again, and the work goes on.`,
  );
}
