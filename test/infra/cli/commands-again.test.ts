/** The command lines that are given to go on with: parsed again they are the flags that were typed. */
import type { Command } from 'commander';
import { pageCommandLine, typedCommand } from '../../../infra/cli/commands-again.js';
import { evaluateCommand } from '../../../infra/cli/evaluate.js';
import { startCommand } from '../../../infra/cli/start.js';
import { studyCommand } from '../../../infra/cli/study.js';
import { uiCommand } from '../../../infra/cli/ui.js';

const BUCKET = [
  ...['--store', 's3://bucket/prefix', '--endpoint-url', 'http://127.0.0.1:7070'],
  ...['--region', 'eu-west-1', '--path-style', 'on'],
];
const LOCAL = [
  ...['--state', '/data/s', '--store', '/data/my store', '--port', '7300', '--ui-port', '8300'],
  ...['--set', 'rl.groupSize=4', '--set', "prompt.template='{document}'"],
];
const SERVER = ['--address', 'there:7233', '--namespace', 'ours', '--no-tls', '--tls-ca-path', 'ca.pem'];
const COMMANDS: Record<string, { command: () => Command; flags: Record<string, string[]> }> = {
  start: {
    command: startCommand,
    flags: {
      none: [],
      'a local stack': LOCAL,
      'a bucket elsewhere': BUCKET,
      'ports, metrics and traces': [
        ...['--page-port', '8400', '--metrics-port', '9400', '--metrics-host', '0.0.0.0'],
        ...['--otlp', 'http://127.0.0.1:4318'],
      ],
    },
  },
  evaluate: {
    command: evaluateCommand,
    flags: {
      'a local stack': LOCAL,
      'a bucket elsewhere': BUCKET,
      'a server': [...SERVER, '--no-watch'],
      models: ['--model', 'run:mine@final', '--model', 'folder:/a b', '--name', 'trial'],
    },
  },
  study: {
    command: studyCommand,
    flags: {
      'a local stack': LOCAL,
      'a bucket elsewhere': BUCKET,
      'a server': SERVER,
      'a report': ['--report', 'results', '--format', 'json', '--watch'],
    },
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

/** As a POSIX shell takes them apart. */
const words = (line: string) =>
  (line.match(/(?:'[^']*'|\\'|[^\s'])+/g) ?? []).map(word =>
    word.replace(/'([^']*)'|\\'/g, (_, quoted) => quoted ?? "'"),
  );

function parsed(command: Command, args: string[]): Command {
  command.action(() => {});
  return command.parse(args, { from: 'user' });
}

const CASES = Object.entries(COMMANDS).flatMap(([name, { command, flags }]) =>
  Object.entries(flags).map(([title, typed]) => [name, title, command, typed] as const),
);

test.each(CASES)('%s again: %s', (name, _, command, typed) => {
  const first = parsed(command(), ['my spec.yaml', ...typed]);
  const [npx, longhaul, verb, ...args] = words(typedCommand(first));
  expect([npx, longhaul, verb]).toEqual(['npx', 'longhaul', name]);
  expect(args.length).toBe(1 + typed.length);
  const again = parsed(command(), args);
  expect(again.args).toEqual(['my spec.yaml']);
  expect(again.opts()).toEqual(first.opts());
});

test('under npm start it is npm start', () => {
  process.env.npm_lifecycle_event = 'start';
  expect(typedCommand(parsed(startCommand(), []))).toBe('npm start');
  expect(typedCommand(parsed(startCommand(), ['tiny', '--name', 'a']))).toBe('npm start -- tiny --name a');
});

test('a new run like it is one of another name', () => {
  expect(typedCommand(parsed(startCommand(), ['tiny']), { name: 'NAME' })).toBe('npx longhaul start tiny --name NAME');
});

test('a key is not repeated, what the environment says neither', () => {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';
  process.env.LONGHAUL_STATE = '/elsewhere';
  expect(typedCommand(parsed(startCommand(), []))).toBe('npx longhaul start');
  const secret = parsed(studyCommand(), ['a.yaml', '--api-key', 'hush', '--address', 'there:7233']);
  expect(typedCommand(secret)).toBe('npx longhaul study a.yaml --address there:7233 --api-key KEY');
});

test('the page of a store in a bucket is served from that bucket', () => {
  const store = { store: 's3://bucket/prefix', endpointUrl: 'http://127.0.0.1:7070', region: 'eu', pathStyle: 'on' };
  const [, , , ...args] = words(pageCommandLine(store, '127.0.0.1:7300'));
  expect(parsed(uiCommand(), args).opts()).toMatchObject({ ...store, address: '127.0.0.1:7300' });
});
