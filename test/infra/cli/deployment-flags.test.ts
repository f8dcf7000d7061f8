import { Command } from 'commander';
import { type DeploymentFlags, deploymentOf, withDeploymentFlags } from '../../../infra/cli/deployment-flags.js';
import { UserError } from '../../../infra/user-error.js';

const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

/** What a worker started with these arguments is of. */
const asked = (...args: string[]) =>
  deploymentOf(withDeploymentFlags(new Command()).parse(args, { from: 'user' }).opts<DeploymentFlags>());

test('a worker is of no build unless told', () => {
  expect(asked()).toBeUndefined();
  process.env.LONGHAUL_DEPLOYMENT = '';
  process.env.LONGHAUL_BUILD_ID = '';
  expect(asked()).toBeUndefined();
});

test('from flags, else the environment', () => {
  Object.assign(process.env, { LONGHAUL_DEPLOYMENT: 'rl', LONGHAUL_BUILD_ID: '1' });
  expect(asked()).toEqual({ name: 'rl', buildId: '1', pinned: false });
  expect(asked('--build-id', '2', '--pinned')).toEqual({ name: 'rl', buildId: '2', pinned: true });
});

test.each([
  ['a deployment alone', ['--deployment', 'rl'], 'There is a deployment (rl) alone: give --build-id ID'],
  ['a build alone', ['--build-id', '7'], 'There is a build id (7) alone: give --deployment NAME'],
  ['pinned to nothing', ['--pinned'], 'say which with --deployment and --build-id'],
  ['a name with a dot', ['--deployment', 'r.l', '--build-id', '7'], 'expected a name without "." and ":"'],
  ['a reserved id', ['--deployment', 'rl', '--build-id', '__7'], 'does not begin with "__"'],
])('%s is refused', (_, args, message) => {
  expect(() => asked(...args)).toThrow(UserError);
  expect(() => asked(...args)).toThrow(message);
});
