/** Flags that several commands share, and what they come to. */
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Command, Option } from 'commander';
import type { CurriculumInput } from '../../activities/contract/index.js';
import { runNameSchema } from '../../activities/spec/index.js';
import { isS3Address } from '../../activities/store/index.js';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { DEFAULT_STATE } from '../checkout.js';
import type { Begun } from '../local/begin-run.js';
import { nextCommand } from '../local/command-lines.js';
import { loadSpec, parseSettings } from '../specs/spec-files.js';
import { UserError } from '../user-error.js';
import { type S3Flags, withS3Flags } from './s3-flags.js';

export interface StoreFlags extends S3Flags {
  store?: string;
}

export interface StateFlags {
  state?: string;
}

/** Which server: the Temporal CLI's names. All may be left out for the environment or the profile to say. */
export function withConnectionFlags(command: Command): Command {
  return command
    .optionsGroup('Temporal server (else TEMPORAL_ADDRESS, …, else the Temporal CLI’s profile, else localhost:7233):')
    .option('--address <host:port>', 'address of the server')
    .option('--namespace <name>', 'namespace')
    .option('--api-key <key>', 'API key; better given as TEMPORAL_API_KEY, which other processes do not see')
    .option('--tls', 'use TLS')
    .option('--no-tls', 'use no TLS, whatever the profile says')
    .option('--tls-cert-path <file>', 'client certificate (mutual TLS)')
    .option('--tls-key-path <file>', 'key of the client certificate')
    .option('--tls-ca-path <file>', 'certificate authority of the server')
    .option('--tls-server-name <name>', 'name expected in the server’s certificate')
    .option('--profile <name>', 'profile in the Temporal CLI’s configuration file')
    .option('--config-file <file>', 'that file, if not at its usual place');
}

export function withStoreFlag(command: Command): Command {
  return withS3Flags(
    command.addOption(
      new Option(
        '--store <store>',
        'where the artifacts are: a folder (default: "store" in the state folder), or s3://BUCKET/PREFIX',
      ).env('LONGHAUL_STORE'),
    ),
  );
}

export function withStateFlag(command: Command): Command {
  return command.addOption(
    new Option('--state <folder>', 'where the local stack keeps its database, logs and store (default: .longhaul)').env(
      'LONGHAUL_STATE',
    ),
  );
}

export const stateOf = ({ state }: StateFlags) => (state ? folder(state) : DEFAULT_STATE);

export function storeOf({ store, state }: StoreFlags & StateFlags): string {
  if (store && isS3Address(store)) return store;
  return store ? folder(store) : join(state ? folder(state) : DEFAULT_STATE, 'store');
}

/** Collects a flag that may be given more than once. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** The folder a person typed, absolute. */
export const folder = (typed: string) => resolve(workingFolder(), typed);

/** Where the person stands: npm runs its scripts in the checkout's root, wherever it was called. */
export function workingFolder(): string {
  return (process.env.npm_lifecycle_event === 'start' && process.env.INIT_CWD) || process.cwd();
}

/** Runs `use` with a client of the server that the flags mean. */
export async function withClient<T>(flags: ConnectionFlags, use: (client: Client) => Promise<T>): Promise<T> {
  const { connection: options, namespace } = connectionSettings(flags);
  const address = options.address ?? 'localhost:7233';
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...options, connectTimeout: '5s' });
  } catch (error) {
    throw new UserError(
      `The Temporal server at ${address} does not answer (${(error as Error).message}). ` +
        `Start a local one with ${nextCommand('up')}, or name another with --address or TEMPORAL_ADDRESS.`,
    );
  }
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

export interface SpecFlags {
  name?: string;
  set?: string[];
  from?: string;
}

/** A run as a command line asks for it. */
export interface AskedRun {
  run: string;
  /** For the workflow. */
  input: CurriculumInput;
}

/**
 * What to start: a spec, or with --from a branch of another run.
 * @throws UserError for both or neither, for a branch without a name, and for what `loadSpec` refuses
 */
export async function askedRun(nameOrFile: string | undefined, flags: SpecFlags): Promise<AskedRun> {
  const { from, set = [], name } = flags;
  if (from === undefined) {
    if (nameOrFile === undefined) throw new UserError('Expected a preset, a spec file, or --from RUN/phase-K.');
    const loaded = await loadSpec(nameOrFile, set, workingFolder());
    return { run: runNameOf(name ?? loaded.name), input: loaded.spec };
  }
  if (nameOrFile !== undefined) throw new UserError(`--from takes the spec of its run: leave "${nameOrFile}" out.`);
  if (name === undefined) throw new UserError('--from needs a --name for the new run.');
  return { run: runNameOf(name), input: { from, overrides: parseSettings(set, workingFolder()) } };
}

/** The flags of whatever starts something by a spec. */
export function withSpecFlags(command: Command): Command {
  return command
    .option('--name <name>', "the run's name (default: the preset's or the file's)")
    .option('--set <path=value>', 'lay a value over the spec, e.g. phases.0.steps=20 (repeatable)', collect);
}

/** The same for a run, which may also branch off another. */
export function withRunFlags(command: Command): Command {
  return withSpecFlags(command).option(
    '--from <run/phase-k>',
    'branch off another run: begin with this phase of it, as it began there',
  );
}

export interface StackFlags extends StateFlags, StoreFlags {
  port?: string;
  uiPort?: string;
}

export interface PageFlags {
  pagePort?: string;
}

/** Of a stack that serves longhaul's own page too. */
export function withPageFlag(command: Command): Command {
  return command.option('--page-port <n>', 'port of longhaul’s own page (default: 8265, or a free one)');
}

/** The flags of whatever brings up the local stack. */
export function withStackFlags(command: Command): Command {
  return withStoreFlag(withStateFlag(command))
    .option('--port <n>', 'port of the server (default: 7233, or a free one)')
    .option('--ui-port <n>', 'port of Temporal’s web UI (default: 8233, or a free one)');
}

/** @throws UserError for anything but a port number */
export function portOf(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const port = Number(typed);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new UserError(`Port ${typed}: expected a number from 1 to 65535.`);
}

/** @throws UserError for a name that cannot be a folder's and a workflow's */
function runNameOf(name: string): string {
  const checked = runNameSchema.safeParse(name);
  if (checked.success) return checked.data;
  throw new UserError(`--name ${name}: ${checked.error.issues[0]!.message}`);
}

/**
 * One line on what `beginRun` did.
 * @throws UserError when settings were given that the run, having begun with others, will not follow
 */
export function sayHowItBegan(run: string, { how, otherSpec }: Begun, { set = [] }: SpecFlags): string {
  if (otherSpec && set.length > 0) {
    throw new UserError(
      `The run "${run}" is ${how === 'finished' ? 'finished' : 'unfinished'}, and began with other settings than these. ` +
        'Leave --set out to see it, or start another with --name NAME.',
    );
  }
  const kept = otherSpec ? ' It keeps the settings it began with, which are not those of the spec as it is now.' : '';
  return `${BEGAN[how](run)}${kept}`;
}

const BEGAN: Record<Begun['how'], (run: string) => string> = {
  started: run => `The run "${run}" has started.`,
  resumed: run => `The run "${run}" is unfinished: it goes on where it was.`,
  again: run => `The run "${run}" had ended without success: started again, from what it had published.`,
  finished: run => `The run "${run}" is finished. For a new one, give another name: --name NAME.`,
};
