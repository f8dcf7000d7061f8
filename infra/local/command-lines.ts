/**
 * Command lines that a person may paste: the one that was typed, once more, and those that may follow it. What follows is
 * about the same server and the same store, so it says of these what was typed, as far as it takes it. What the environment
 * said it says again.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_STATE } from '../checkout.js';
import { bucketFlagsIn } from './bucket-flags.js';

/** Flags by the names that commander has them under. */
const STATE = ['state'];
const STORE = ['store', 'endpointUrl', 'region', 'pathStyle'];
const SERVER = [
  ...['address', 'namespace', 'apiKey', 'tls', 'tlsCertPath', 'tlsKeyPath', 'tlsCaPath', 'tlsServerName'],
  ...['profile', 'configFile'],
];
const STACK = ['port', 'uiPort', 'pagePort'];

/** Which of them the commands take that others name. */
export const TAKES = {
  up: [...STATE, ...STORE, ...STACK],
  watch: SERVER,
  ui: [...STATE, ...STORE, ...SERVER],
  export: [...STATE, ...STORE, ...SERVER],
  'export-metrics': [...STATE, ...STORE],
  table: [...STATE, ...STORE],
  'schedule list': [...STATE, ...SERVER],
  'schedule trigger': [...STATE, ...SERVER],
  'schedule resume': [...STATE, ...SERVER],
  'schedule delete': [...STATE, ...SERVER],
  'schedule history': [...STATE, ...STORE],
  'store check': [...STATE, ...STORE],
  'store du': [...STATE, ...STORE],
  'worker cpu': [...STATE, ...STORE, ...SERVER],
  'worker gpu': [...STATE, ...STORE, ...SERVER],
} satisfies Record<string, string[]>;

/** Where commands look for a server unless told. */
const USUAL_ADDRESS = '127.0.0.1:7233';

/** What is not to stand on a screen: whoever goes on gives it again. */
const SECRETS: Record<string, string> = { apiKey: 'KEY' };

/** Of this process: its command line, and the local stack that it works with. */
let here: { command: Command | null; address: string | null } = { command: null, address: null };

export function rememberCommand(command: Command): void {
  here = { command, address: null };
}

export function rememberLocalServer(address: string): void {
  here = { ...here, address: address === USUAL_ADDRESS ? null : address };
}

/**
 * The command of this process as it was typed.
 * @param changes other values of flags, by the names that commander has them under
 */
export function typedCommand(changes: Record<string, string> = {}): string {
  const command = here.command!;
  const flags = command.options.flatMap(option => wordsOf(command, option, changes[option.attributeName()]));
  const args = [...command.args, ...flags].map(quoted);
  const npm = command.name() === 'start' && process.env.npm_lifecycle_event === 'start';
  const base = npm ? ['npm start', ...(args.length > 0 ? ['--'] : [])] : [`npx longhaul ${command.name()}`];
  return [...base, ...args].join(' ');
}

/** Another command about what this one is about. @param words its arguments and flags */
export function nextCommand(verb: keyof typeof TAKES, ...words: string[]): string {
  const takes: readonly string[] = TAKES[verb];
  const typed = typedFlags(takes);
  const local = here.address !== null && takes.includes('address') ? ['--address', here.address] : [];
  return [`npx longhaul ${verb}`, ...[...words, ...typed, ...local].map(quoted)].join(' ');
}

/** A command about a store, for whoever reads of it elsewhere than in a terminal. @param words its arguments and flags */
export function commandOn(root: string, verb: 'verify' | 'lineage' | 'tokens', ...words: string[]): string {
  const store = root === join(DEFAULT_STATE, 'store') ? [] : ['--store', root];
  const bucket = root.startsWith('s3://') ? bucketFlagsIn(process.env) : [];
  return [`npx longhaul ${verb}`, ...[...words, ...store, ...bucket].map(quoted)].join(' ');
}

/** The Temporal CLI through longhaul, which finds the program and, when a local stack runs, its address. @param rest its own words */
export const temporalCommand = (rest: string): string =>
  ['npx longhaul temporal', ...typedFlags(STATE).map(quoted), rest, ...typedFlags(SERVER).map(quoted)].join(' ');

/** An argument as a POSIX shell reads it back. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

function typedFlags(names: readonly string[]): string[] {
  const { command } = here;
  if (!command) return [];
  return command.options.filter(option => names.includes(option.attributeName())).flatMap(o => wordsOf(command, o));
}

function wordsOf(command: Command, option: Command['options'][number], changed?: string): string[] {
  const name = option.attributeName();
  const typed = command.getOptionValueSource(name) === 'cli' ? command.getOptionValue(name) : undefined;
  const value: unknown = changed ?? (typed === undefined ? undefined : (SECRETS[name] ?? typed));
  if (value === undefined) return [];
  // `--watch` and `--no-watch` are two options of one name.
  if (typeof value === 'boolean') return value === !option.negate ? [option.long!] : [];
  return [value].flat().flatMap(one => [option.long!, String(one)]);
}
