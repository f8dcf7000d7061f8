/** Flags of a worker whose engine is a training service: what goes together, and what would let a key be seen. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { withEngineSettings } from '../../../infra/cli/engine-settings';
import { type ServiceFlags, serviceOf, withServiceFlags } from '../../../infra/cli/service-flags';
import { UserError } from '../../../infra/user-error';

const before = { ...process.env };
let state: string;
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'longhaul-flags-'));
});
afterEach(() => {
  process.env = { ...before };
});
afterAll(() => rm(state, { recursive: true }));

const URL = 'http://trainer:8000';

/** What a worker started with these arguments is told of its service. */
const asked = (...args: string[]) => {
  const command = withServiceFlags(withEngineSettings(new Command())).parse(args, { from: 'user' });
  return serviceOf({ ...command.opts<ServiceFlags>(), state }, { TINKER_API_KEY: 'a key' });
};

test('this machine computes unless told', async () => {
  expect(await asked()).toBeNull();
  expect(await asked('--engine', 'onnx')).toBeNull();
});

test('from flags, else the environment', async () => {
  const told = { url: URL, keyVariable: null, stateFolder: join(state, 'tinker', 'trainer%3A8000', '1') };
  expect(await asked('--engine', 'tinker', '--engine-url', URL)).toMatchObject(told);
  Object.assign(process.env, { LONGHAUL_ENGINE: 'tinker', LONGHAUL_ENGINE_URL: URL });
  expect(await asked('--engine-key-variable', 'TINKER_API_KEY')).toMatchObject({ keyVariable: 'TINKER_API_KEY' });
});

test.each([
  ['an address alone', ['--engine-url', URL], 'give --engine tinker too'],
  ['a service without an address', ['--engine', 'tinker'], 'say where the service is, with --engine-url'],
  ['no address', ['--engine', 'tinker', '--engine-url', 'trainer'], 'expected an address such as http://trainer:8000'],
  ['another scheme', ['--engine', 'tinker', '--engine-url', 'ftp://trainer'], 'with http or https'],
  ['a key in the address', ['--engine', 'tinker', '--engine-url', 'http://k:secret@trainer'], 'more than an address'],
  [
    'a key in place of its variable',
    ['--engine', 'tinker', '--engine-url', URL, '--engine-key-variable', 'tml-secret'],
    'not the key itself',
  ],
  [
    'a variable that is not set',
    ['--engine', 'tinker', '--engine-url', URL, '--engine-key-variable', 'OTHER'],
    'the environment variable OTHER is not set here',
  ],
  [
    'this machine’s memory',
    ['--engine', 'tinker', '--engine-url', URL, '--memory', '2GiB'],
    '--memory is about an engine',
  ],
])('refuses %s', async (_what, args, problem) => {
  const refused = asked(...args);
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(problem);
  await expect(refused).rejects.not.toThrow('secret');
});
