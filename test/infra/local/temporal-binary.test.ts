import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, findTemporal, MINIMUM_SERVER } from '../../../infra/local/temporal-binary';

// The SDK's download is tried for real by whoever has internet; here it fails as it does without.
jest.mock('@temporalio/testing', () => ({
  TestWorkflowEnvironment: {
    createLocal: () => Promise.reject(new Error('failed to download: error (Connect): dns error: no such host')),
  },
}));

let root: string;
let env: NodeJS.ProcessEnv;
const lines: string[] = [];
const find = (more: NodeJS.ProcessEnv = {}) =>
  findTemporal({ env: { ...env, ...more }, log: line => lines.push(line) });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-find-'));
  await mkdir(join(root, 'bin'));
  env = { PATH: join(root, 'bin'), HOME: root };
  lines.length = 0;
});
afterEach(() => rm(root, { recursive: true }));

async function script(path: string, body: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
const temporal = (path: string, server = MINIMUM_SERVER) =>
  script(path, `echo "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"`);

test('LONGHAUL_TEMPORAL is taken before anything else, and refused rather than passed over', async () => {
  const mine = await temporal(join(root, 'mine'));
  await temporal(join(root, 'bin', 'temporal'));
  await expect(find({ LONGHAUL_TEMPORAL: mine })).resolves.toBe(mine);
  await expect(find({ LONGHAUL_TEMPORAL: join(root, 'none') })).rejects.toThrow(
    /LONGHAUL_TEMPORAL=.*none: cannot be run/,
  );
});

test('the PATH comes before the cache', async () => {
  const onPath = await temporal(join(root, 'bin', 'temporal'), '1.100.0');
  await temporal(join(cacheFolder(env), 'temporal'));
  await expect(find()).resolves.toBe(onPath);
  expect(lines).toEqual([]);
});

test('one on the PATH that is too old is named and passed over', async () => {
  await temporal(join(root, 'bin', 'temporal'), '1.27.9');
  const cached = await temporal(join(cacheFolder(env), 'temporal'));
  await expect(find()).resolves.toBe(cached);
  expect(lines).toEqual([expect.stringContaining(`its server is 1.27.9, at least ${MINIMUM_SERVER} is needed`)]);
});

test('XDG_CACHE_HOME moves the cache', async () => {
  const more = { XDG_CACHE_HOME: join(root, 'xdg') };
  const cached = await temporal(join(root, 'xdg', 'longhaul', 'temporal'));
  await expect(find(more)).resolves.toBe(cached);
});

test('Go builds it into the cache when the download fails', async () => {
  const made = `#!/bin/sh\necho "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"`;
  await script(
    join(root, 'bin', 'go'),
    `test "$1 $2" = "install github.com/temporalio/cli/cmd/temporal@v1.5.1" || exit 9
PATH=/usr/bin:/bin; printf '%s\\n' '${made}' > "$GOBIN/temporal"; chmod +x "$GOBIN/temporal"`,
  );
  const found = await find();
  expect(found).toBe(join(cacheFolder(env), 'temporal'));
  expect(lines).toEqual([
    'Temporal: downloading the server, as the Temporal SDK does it',
    'Temporal: download: failed (dns error: no such host)',
    expect.stringContaining('building it from source'),
  ]);
});

test('when nothing works, the error lists every try and says what to do', async () => {
  await script(join(root, 'bin', 'go'), 'echo "go: no network" >&2; exit 1');
  await temporal(join(root, 'bin', 'temporal'), '1.20.0');
  const error = await find().catch(e => e as Error);
  expect(String(error)).toMatch(/PATH: .* its server is 1\.20\.0/);
  expect(String(error)).toContain('download: failed (dns error: no such host)');
  expect(String(error)).toContain('go install: exit code 1: go: no network');
  expect(String(error)).toContain('Install the Temporal CLI (https://docs.temporal.io/cli)');
});

test('a program that prints no server version is refused', async () => {
  const odd = await script(join(root, 'odd'), 'echo temporal version 9');
  await expect(find({ LONGHAUL_TEMPORAL: odd })).rejects.toThrow('--version says "temporal version 9", expected');
});
