/** Flags for an engine that is a training service of others: where it is and where its key is are the workers' affair. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { EngineKind } from '../../activities/contract/index.js';
import type { EngineSettings } from '../../activities/engine/process/index.js';
import type { TinkerSettings } from '../../activities/engine/tinker/index.js';
import { ownFolder } from '../../workers/own-folder.js';
import { UserError } from '../user-error.js';
import { engineSettingsOf } from './engine-settings.js';
import { type StateFlags, stateOf } from './options.js';

export interface ServiceFlags {
  engine?: EngineKind;
  engineUrl?: string;
  engineKeyVariable?: string;
}

/** By which the local stack hands them to its workers. */
export const SERVICE_VARIABLES = {
  engine: 'LONGHAUL_ENGINE',
  engineUrl: 'LONGHAUL_ENGINE_URL',
  engineKeyVariable: 'LONGHAUL_ENGINE_KEY_VARIABLE',
} as const satisfies Record<keyof ServiceFlags, string>;

const KINDS: EngineKind[] = ['onnx', 'tinker'];

export function withServiceFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--engine <kind>',
        'onnx: this machine computes; tinker: a training service that speaks Tinker’s wire (default: onnx)',
      )
        .choices(KINDS)
        .env(SERVICE_VARIABLES.engine),
    )
    .addOption(
      new Option('--engine-url <url>', 'tinker: the service’s address, e.g. http://trainer:8000').env(
        SERVICE_VARIABLES.engineUrl,
      ),
    )
    .addOption(
      new Option(
        '--engine-key-variable <name>',
        'tinker: the environment variable that holds the service’s key, e.g. TINKER_API_KEY (default: it needs none)',
      ).env(SERVICE_VARIABLES.engineKeyVariable),
    );
}

/**
 * @returns what the service's client needs; null where this machine computes
 * @throws UserError for flags that do not go together, and for what would let a key be seen
 */
export async function serviceOf(
  flags: ServiceFlags & StateFlags & Partial<EngineSettings>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TinkerSettings | null> {
  const { engine = 'onnx', engineUrl, engineKeyVariable: keyVariable } = flags;
  if (engine === 'onnx') {
    if (!engineUrl && !keyVariable) return null;
    throw new UserError(
      '--engine-url and --engine-key-variable are about a training service: give --engine tinker too.',
    );
  }
  const [setting] = Object.keys(engineSettingsOf(flags));
  if (setting)
    throw new UserError(`--${setting} is about an engine on this machine: with --engine tinker the service computes.`);
  const url = addressOf(engineUrl);
  if (keyVariable) expectKey(keyVariable, environment);
  return {
    url,
    keyVariable: keyVariable || null,
    environment,
    stateFolder: await ownFolder(join(stateOf(flags), 'tinker', encodeURIComponent(new URL(url).host))),
  };
}

function addressOf(typed: string | undefined): string {
  if (!typed) throw new UserError('--engine tinker: say where the service is, with --engine-url http://HOST:PORT.');
  const expected = 'expected an address such as http://trainer:8000';
  // What stands there may be a key by mistake, so it is not repeated.
  if (!URL.canParse(typed)) throw new UserError(`--engine-url: ${expected}.`);
  const { protocol, username, password, search } = new URL(typed);
  if (!/^https?:$/.test(protocol)) throw new UserError(`--engine-url: ${expected}, with http or https.`);
  if (username || password || search)
    throw new UserError(
      '--engine-url holds more than an address: a key belongs in the variable that --engine-key-variable names.',
    );
  return typed;
}

function expectKey(variable: string, environment: NodeJS.ProcessEnv): void {
  if (!/^[A-Za-z_]\w*$/.test(variable))
    throw new UserError('--engine-key-variable: expected the name of an environment variable, not the key itself.');
  if (!environment[variable]?.trim())
    throw new UserError(`--engine-key-variable: the environment variable ${variable} is not set here.`);
}
