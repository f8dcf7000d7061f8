/** The command lines that people are given: what was typed, parsed again, and what follows it. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Progress } from '../../../activities/contract/index.js';
import { DEFAULT_STATE } from '../../../infra/checkout.js';
import { evaluateCommand } from '../../../infra/cli/evaluate.js';
import { program } from '../../../infra/cli/main.js';
import { startCommand } from '../../../infra/cli/start.js';
import { studyCommand } from '../../../infra/cli/study.js';
import { adviceLines } from '../../../infra/local/advice.js';
import {
  commandOn,
  nextCommand,
  rememberCommand,
  rememberLocalServer,
  TAKES,
  temporalCommand,
  typedCommand,
} from '../../../infra/local/command-lines.js';

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

function typedAgain(command: Command, changes?: Record<string, string>): string {
  rememberCommand(command);
  return typedCommand(changes);
}

const CASES = Object.entries(COMMANDS).flatMap(([name, { command, flags }]) =>
  Object.entries(flags).map(([title, typed]) => [name, title, command, typed] as const),
);

test.each(CASES)('%s again: %s', (name, _, command, typed) => {
  const first = parsed(command(), ['my spec.yaml', ...typed]);
  const [npx, longhaul, verb, ...args] = words(typedAgain(first));
  expect([npx, longhaul, verb]).toEqual(['npx', 'longhaul', name]);
  expect(args.length).toBe(1 + typed.length);
  const again = parsed(command(), args);
  expect(again.args).toEqual(['my spec.yaml']);
  expect(again.opts()).toEqual(first.opts());
});

test('under npm start it is npm start', () => {
  process.env.npm_lifecycle_event = 'start';
  expect(typedAgain(parsed(startCommand(), []))).toBe('npm start');
  expect(typedAgain(parsed(startCommand(), ['tiny', '--name', 'a']))).toBe('npm start -- tiny --name a');
});

test('a new run like it is one of another name', () => {
  expect(typedAgain(parsed(startCommand(), ['tiny']), { name: 'NAME' })).toBe('npx longhaul start tiny --name NAME');
});

test('a key is not repeated, what the environment says neither', () => {
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318';
  process.env.LONGHAUL_STATE = '/elsewhere';
  expect(typedAgain(parsed(startCommand(), []))).toBe('npx longhaul start');
  const secret = parsed(studyCommand(), ['a.yaml', '--api-key', 'hush', '--address', 'there:7233']);
  expect(typedAgain(secret)).toBe('npx longhaul study a.yaml --address there:7233 --api-key KEY');
});

/** A command of the program, `schedule list` say. */
function commandOf(verb: string): Command {
  const [first, second] = verb.split(' ') as [string, string?];
  const [command] = program(first).commands as [Command];
  return command.commands.find(one => one.name() === second) ?? command;
}

describe('the commands that may follow', () => {
  const flagNames = [...new Set(Object.values(TAKES).flat())];
  /** Of the page, and of the metrics. */
  const isAnother = (verb: string, name: string) => name === 'port' && verb !== 'up';

  test.each(Object.entries(TAKES))('%s takes these flags, and no others of them', (verb, takes) => {
    const own = new Set(commandOf(verb).options.map(option => option.attributeName()));
    expect([...takes].sort()).toEqual(flagNames.filter(name => own.has(name) && !isAnother(verb, name)).sort());
  });

  test('are about the same store and the same server', () => {
    rememberCommand(parsed(studyCommand(), ['a.yaml', ...BUCKET, ...SERVER, '--name', 'x']));
    const bucket = BUCKET.join(' ');
    expect(nextCommand('table', 'x y', '--help')).toBe(`npx longhaul table 'x y' --help ${bucket}`);
    expect(nextCommand('watch', 'x')).toBe(`npx longhaul watch x ${SERVER.join(' ')}`);
    expect(nextCommand('store check')).toBe(`npx longhaul store check ${bucket}`);
    expect(temporalCommand('workflow list')).toBe(`npx longhaul temporal workflow list ${SERVER.join(' ')}`);
  });

  test('find a local stack that is not where it usually is', () => {
    rememberCommand(parsed(startCommand(), ['--state', '/data/s', '--port', '7300']));
    rememberLocalServer('127.0.0.1:7300');
    expect(nextCommand('watch', 'tiny')).toBe('npx longhaul watch tiny --address 127.0.0.1:7300');
    expect(nextCommand('export', 'tiny', 'DIR')).toBe(
      'npx longhaul export tiny DIR --state /data/s --address 127.0.0.1:7300',
    );
    expect(nextCommand('up')).toBe('npx longhaul up --state /data/s --port 7300');
    rememberLocalServer('127.0.0.1:7233');
    expect(nextCommand('watch', 'tiny')).toBe('npx longhaul watch tiny');
  });

  test('are what is advised for a run that waits', () => {
    rememberCommand(parsed(startCommand(), ['--state', '/data/s']));
    const advice = 'phase-1 failed:\n  temporal workflow update execute --workflow-id a --name replayPhase';
    const progress = { run: 'a', state: 'awaiting-replay', advice } as Progress;
    expect(adviceLines(progress)).toEqual([
      '',
      'phase-1 failed:',
      '  npx longhaul temporal --state /data/s workflow update execute --workflow-id a --name replayPhase',
      'To give the run up:',
      '  npx longhaul temporal --state /data/s workflow cancel --workflow-id a',
    ]);
  });
});

describe('the commands about a store', () => {
  /** As the page's process has it, which is started with variables: its parent's flags. */
  const withBucketFlags = () => parsed(startCommand(), BUCKET);

  test('name it, where it is not the usual one', () => {
    expect(commandOn('/data/my store', 'verify', 'a')).toBe("npx longhaul verify a --store '/data/my store'");
    expect(commandOn(join(DEFAULT_STATE, 'store'), 'verify', 'a')).toBe('npx longhaul verify a');
  });

  test("name a bucket's server", () => {
    withBucketFlags();
    expect(commandOn('s3://bucket/prefix', 'lineage', 'POLICY', '--run', 'a')).toBe(
      `npx longhaul lineage POLICY --run a ${BUCKET.join(' ')}`,
    );
  });

  test.each([
    ['on', '1'],
    ['off', '0'],
  ])('take --path-style %s back from what it is passed on as', (typed, passed) => {
    process.env.AWS_REGION = '';
    process.env.LONGHAUL_S3_PATH_STYLE = passed;
    expect(commandOn('s3://b/p', 'verify', 'a')).toBe(`npx longhaul verify a --store s3://b/p --path-style ${typed}`);
  });

  test("say nothing of a bucket's server where the store is a folder", () => {
    withBucketFlags();
    expect(commandOn('/data/s', 'verify', 'a')).toBe('npx longhaul verify a --store /data/s');
  });
});
