/** Command lines that commands name: themselves once more, and the page of a run. */
import type { Command } from 'commander';
import { quoted } from '../local/command-text.js';
import type { StackFlags } from './options.js';

/** What is not to stand on a screen: whoever goes on gives it again. */
const SECRETS: Record<string, string> = { apiKey: 'KEY' };

/**
 * The command as it was typed: what the environment said it says again.
 *
 * @param changes other values of flags, by their names in camel case
 */
export function typedCommand(command: Command, changes: Record<string, string> = {}): string {
  const flags = command.options.flatMap(option => {
    const name = option.attributeName();
    const typed = command.getOptionValueSource(name) === 'cli' ? command.getOptionValue(name) : undefined;
    const value: unknown = changes[name] ?? (typed === undefined ? undefined : (SECRETS[name] ?? typed));
    if (value === undefined) return [];
    // `--watch` and `--no-watch` are two options of one name.
    if (typeof value === 'boolean') return value === !option.negate ? [option.long!] : [];
    return [value].flat().flatMap(one => [option.long!, String(one)]);
  });
  const args = [...command.args, ...flags];
  const npm = command.name() === 'start' && process.env.npm_lifecycle_event === 'start';
  const base = npm ? ['npm start', ...(args.length > 0 ? ['--'] : [])] : [`npx longhaul ${command.name()}`];
  return [...base, ...args.map(quoted)].join(' ');
}

/** The command that serves the page. @param address of the server, where it is not the usual one */
export function pageCommandLine(
  { state, store, endpointUrl, region, pathStyle }: StackFlags,
  address?: string,
): string {
  const flags = { state, store, 'endpoint-url': endpointUrl, region, 'path-style': pathStyle, address };
  const given = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
  return ['npx longhaul ui', ...given.map(quoted)].join(' ');
}
