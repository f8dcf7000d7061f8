/** Flags by which workers show metrics and traces. */
import { type Command, Option } from 'commander';
import type { TelemetrySettings } from '../../workers/telemetry.js';
import { UserError } from '../user-error.js';
import { portOf } from './options.js';

export interface TelemetryFlags {
  metricsPort?: string;
  metricsHost?: string;
  otlp?: string;
}

const DEFAULT_HOST = '127.0.0.1';

/** Of whatever runs both workers. */
export const STACK_METRICS = 'this port (CPU worker) and the next (GPU worker)';

/** @param ports what the metrics' port means to this command */
export function withTelemetryFlags(command: Command, ports: string): Command {
  return command
    .optionsGroup('Metrics and traces (none unless told):')
    .option('--metrics-port <n>', `serve metrics for Prometheus at /metrics of ${ports}`)
    .option('--metrics-host <host>', `address to serve them at (default: ${DEFAULT_HOST})`)
    .addOption(
      new Option(
        '--otlp <url>',
        'send traces to this OpenTelemetry collector, by OTLP over HTTP, e.g. http://127.0.0.1:4318',
      ).env('OTEL_EXPORTER_OTLP_ENDPOINT'),
    );
}

/** @throws UserError for what is no port or no URL, and for an address without a port */
export function telemetryOf({ metricsPort, metricsHost, otlp }: TelemetryFlags): TelemetrySettings {
  const port = portOf(metricsPort);
  if (port === undefined && metricsHost !== undefined)
    throw new UserError(`--metrics-host ${metricsHost}: say the port too, with --metrics-port.`);
  if (otlp && !isHttp(otlp))
    throw new UserError(
      `--otlp ${otlp}: expected the http or https URL of a collector, such as http://127.0.0.1:4318 (or leave it and ` +
        'OTEL_EXPORTER_OTLP_ENDPOINT out).',
    );
  return {
    ...(port !== undefined && { metrics: { port, host: metricsHost ?? DEFAULT_HOST } }),
    ...(otlp && { otlp }),
  };
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
}
