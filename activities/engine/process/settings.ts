/**
 * How an engine uses its machine: threads, memory, execution provider. Results on one provider do not depend on threads
 * and memory. Each has an environment variable, which is also how the engine's host hands them to its child process.
 */
import { availableParallelism, freemem } from 'node:os';
import { PROVIDERS, type SessionSettings } from '../graph/index.js';
import { EngineRequestError } from '../protocol/index.js';

export interface EngineSettings extends Required<SessionSettings> {
  /** Seconds without any sign of progress after which the process counts as hung, and is ended. */
  silence: number;
}

const UNITS: Record<string, number> = { '': 1, MB: 1e6, MiB: 2 ** 20, GB: 1e9, GiB: 2 ** 30 };

/** "6GiB" in bytes; NaN where it is no size. */
function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  return Number(number ?? Number.NaN) * (UNITS[unit ?? ''] ?? Number.NaN);
}

/** What is free here, within a container's limit where there is one. */
const freeMemory = (): number => process.availableMemory?.() || freemem();

interface Rule<T> {
  variable: string;
  expected: string;
  /** undefined where the text is not what was expected. */
  parse(text: string): T | undefined;
  standard(): T;
}

const RULES: { [K in keyof EngineSettings]: Rule<EngineSettings[K]> } = {
  threads: {
    variable: 'LONGHAUL_ENGINE_THREADS',
    expected: 'a whole number from 1',
    parse: text => (/^[1-9]\d*$/.test(text) ? Number(text) : undefined),
    standard: availableParallelism,
  },
  memory: {
    variable: 'LONGHAUL_ENGINE_MEMORY',
    expected: 'a size such as 6GiB, 500MB or a number of bytes',
    parse: text => (parseSize(text) > 0 ? parseSize(text) : undefined),
    standard: () => freeMemory() / 3,
  },
  provider: {
    variable: 'LONGHAUL_ENGINE_PROVIDER',
    expected: Object.keys(PROVIDERS).join(', '),
    parse: text => (Object.hasOwn(PROVIDERS, text) ? (text as EngineSettings['provider']) : undefined),
    standard: () => 'cpu',
  },
  silence: {
    variable: 'LONGHAUL_ENGINE_SILENCE',
    expected: 'a number of seconds above 0',
    parse: text => (Number(text) > 0 ? Number(text) : undefined),
    // One micro-batch of a large model on a slow machine must fit in.
    standard: () => 3600,
  },
};

/** One setting from text. @throws EngineRequestError naming where it was given and what was expected */
export function parseSetting<K extends keyof EngineSettings>(name: K, text: string, where: string): EngineSettings[K] {
  const value = RULES[name].parse(text);
  if (value === undefined) throw new EngineRequestError(`${where} is "${text}"; expected ${RULES[name].expected}`);
  return value;
}

/** All settings, from the environment where it has them, else the machine's. */
export function engineSettings(environment: NodeJS.ProcessEnv = process.env): EngineSettings {
  const read = <K extends keyof EngineSettings>(name: K): EngineSettings[K] => {
    const { variable, standard } = RULES[name];
    const text = environment[variable];
    return text ? parseSetting(name, text, variable) : standard();
  };
  return { threads: read('threads'), memory: read('memory'), provider: read('provider'), silence: read('silence') };
}

/** The variables that say these settings. */
export function settingsEnvironment(settings: Partial<EngineSettings>): Record<string, string> {
  const given = (Object.keys(RULES) as (keyof EngineSettings)[]).filter(name => settings[name] !== undefined);
  return Object.fromEntries(given.map(name => [RULES[name].variable, String(settings[name])]));
}
