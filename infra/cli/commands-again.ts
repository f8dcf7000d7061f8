/** The command lines that `longhaul start` names: itself once more, and the page of its run. */
import { quoted } from '../local/command-text.js';
import type { PageFlags, SpecFlags, StackFlags } from './options.js';
import type { TelemetryFlags } from './telemetry-flags.js';

export type StartFlags = SpecFlags & StackFlags & TelemetryFlags & PageFlags;

export const DEFAULT_PRESET = 'tiny';

/** The command line that means these flags. */
export function startCommandLine(nameOrFile: string | undefined, flags: StartFlags): string {
  const { from, name, set, port, uiPort, pagePort, metricsPort, metricsHost } = flags;
  const ports = { port, 'ui-port': uiPort, 'page-port': pagePort };
  // What the environment says it says again.
  const otlp = flags.otlp === process.env.OTEL_EXPORTER_OTLP_ENDPOINT ? undefined : flags.otlp;
  const telemetry = { 'metrics-port': metricsPort, 'metrics-host': metricsHost, otlp };
  const args = [
    ...(nameOrFile === undefined || nameOrFile === DEFAULT_PRESET ? [] : [nameOrFile]),
    ...given({ from, name, ...placesOf(flags), ...ports, ...telemetry }),
    ...(set ?? []).flatMap(setting => ['--set', setting]),
  ];
  const npm = process.env.npm_lifecycle_event === 'start';
  const base = npm ? ['npm start', ...(args.length > 0 ? ['--'] : [])] : ['npx longhaul start'];
  return [...base, ...args.map(quoted)].join(' ');
}

/** The command that serves the page. @param address of the server, where it is not the usual one */
export const pageCommandLine = (flags: StartFlags, address?: string): string =>
  ['npx longhaul ui', ...given({ ...placesOf(flags), address }).map(quoted)].join(' ');

/** Where the run's things are, as the flags say. */
const placesOf = ({ state, store, endpointUrl, region, pathStyle }: StartFlags) => {
  return { state, store, 'endpoint-url': endpointUrl, region, 'path-style': pathStyle };
};

/** Those that are, as they are typed. */
const given = (flags: Record<string, string | undefined>): string[] =>
  Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
