import { Command } from 'commander';
import { type TelemetryFlags, telemetryOf, withTelemetryFlags } from '../../../infra/cli/telemetry-flags';

const parsed = (...words: string[]) =>
  telemetryOf(withTelemetryFlags(new Command(), 'a port').parse(words, { from: 'user' }).opts<TelemetryFlags>());

const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
beforeEach(() => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
});
afterAll(() => {
  if (endpoint !== undefined) process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint;
});

test('nothing is shown unless told', () => expect(parsed()).toEqual({}));

test('metrics at a port of this machine, or where they are wanted', () => {
  expect(parsed('--metrics-port', '9464')).toEqual({ metrics: { port: 9464, host: '127.0.0.1' } });
  expect(parsed('--metrics-port', '9464', '--metrics-host', '::')).toEqual({ metrics: { port: 9464, host: '::' } });
});

test('traces to a collector, by the flag or the usual variable', () => {
  expect(parsed('--otlp', 'https://otel.example.com/base')).toEqual({ otlp: 'https://otel.example.com/base' });
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';
  expect(parsed()).toEqual({ otlp: 'http://127.0.0.1:4318' });
});

test.each([
  [['--metrics-port', '70000'], 'Port 70000: expected a number from 1 to 65535.'],
  [['--metrics-host', '0.0.0.0'], '--metrics-host 0.0.0.0: say the port too, with --metrics-port.'],
  [['--otlp', 'localhost:4317'], '--otlp localhost:4317: expected the http or https URL of a collector'],
  [['--otlp', 'grpc://localhost:4317'], 'expected the http or https URL of a collector'],
])('%j: %s', (words, message) => expect(() => parsed(...words)).toThrow(message));
