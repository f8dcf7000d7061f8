/** The command lines that `longhaul start` gives to go on with: parsed again they are the same flags. */
import { pageCommandLine, type StartFlags, startCommandLine } from '../../../infra/cli/commands-again.js';
import { startCommand } from '../../../infra/cli/start.js';
import { uiCommand } from '../../../infra/cli/ui.js';

const S3 = { store: 's3://bucket/prefix', endpointUrl: 'http://127.0.0.1:7070', region: 'eu-west-1', pathStyle: 'on' };
const FLAGS: Record<string, StartFlags> = {
  none: { set: [] },
  'a folder with a blank in its name': { set: ['rl.groupSize=4', 'seed=2'], store: '/data/my store', state: '/data/s' },
  'a bucket elsewhere': { set: [], ...S3 },
  'ports, metrics and traces': {
    ...{ set: [], port: '7300', uiPort: '8300', pagePort: '8400' },
    ...{ metricsPort: '9400', metricsHost: '0.0.0.0', otlp: 'http://127.0.0.1:4318' },
  },
};

const saved = { ...process.env };
beforeEach(() => {
  // As outside of npm and without a collector.
  delete process.env.npm_lifecycle_event;
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

const words = (line: string) => (line.match(/'[^']*'|\S+/g) ?? []).map(word => word.replace(/^'(.*)'$/, '$1'));

function parsed(command: ReturnType<typeof startCommand>, args: string[]) {
  command.action(() => {});
  command.parse(args, { from: 'user' });
  return { args: command.args, flags: command.opts() };
}

test.each(Object.entries(FLAGS))('start again: %s', (_, flags) => {
  const [npx, longhaul, start, ...args] = words(startCommandLine('my.yaml', flags));
  expect([npx, longhaul, start]).toEqual(['npx', 'longhaul', 'start']);
  const again = parsed(startCommand(), args);
  expect(again.args).toEqual(['my.yaml']);
  expect({ ...again.flags, set: again.flags.set ?? [] }).toEqual(flags);
});

test('the page of a store in a bucket is served from that bucket', () => {
  const [, , , ...args] = words(pageCommandLine({ set: [], ...S3 }, '127.0.0.1:7300'));
  expect(parsed(uiCommand(), args).flags).toMatchObject({ ...S3, address: '127.0.0.1:7300' });
});

test('a collector that the environment names is not repeated', () => {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';
  expect(startCommandLine('tiny', { set: [], otlp: 'http://collector:4318' })).toBe('npx longhaul start');
});
