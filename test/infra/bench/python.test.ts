/** Python environments, made by a stand-in for Python that only notes what it was asked. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonEnvironment } from '../../../infra/bench/python';
import { UserError } from '../../../infra/user-error';

describe('pythonEnvironment', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
    await writeFile(path('requirements.txt'), 'torch==1.0\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const options = () => ({
    requirements: path('requirements.txt'),
    cache: path('cache'),
    log: () => {},
    python: path('python3'),
    needs: { who: 'the test', python: 'Python 3.10', disk: '1 GB' },
  });

  /** Copies itself into the environment; `pip` succeeds unless a file named "offline" is there. */
  const standIn = () =>
    writeFile(
      path('python3'),
      `#!/bin/sh
echo "$2" >> '${path('calls')}'
echo "$@" >> '${path('words')}'
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
if [ "$2" = pip ] && [ -e '${path('offline')}' ]; then exit 1; fi
`,
      { mode: 0o755 },
    );
  const calls = async () => (await readFile(path('calls'), 'utf8')).trim().split('\n');

  test('is made once and used again', async () => {
    await standIn();
    const program = await pythonEnvironment(options());
    expect(program.startsWith(path('cache'))).toBe(true);
    expect(await pythonEnvironment(options())).toBe(program);
    expect(await calls()).toEqual(['venv', 'pip']);
  });

  test('is another one for other requirements', async () => {
    await standIn();
    const before = await pythonEnvironment(options());
    await writeFile(path('requirements.txt'), 'torch==2.0\n');
    expect(await pythonEnvironment(options())).not.toBe(before);
  });

  test('has what is wanted without what that asks for, after the rest, and is another one for it', async () => {
    await standIn();
    const before = await pythonEnvironment(options());
    await writeFile(path('bare.txt'), 'large==1.0\n');
    expect(await pythonEnvironment({ ...options(), bare: path('bare.txt') })).not.toBe(before);
    expect(await calls()).toEqual(['venv', 'pip', 'venv', 'pip', 'pip']);
    const installed = (await readFile(path('words'), 'utf8')).split('\n').filter(line => line.includes(' install '));
    expect(installed.map(line => [line.includes('--no-deps'), line.split('/').at(-1)])).toEqual([
      [false, 'requirements.txt'],
      [false, 'requirements.txt'],
      [true, 'bare.txt'],
    ]);
  });

  test('is not taken for complete when pip failed, and says what to do', async () => {
    await standIn();
    await writeFile(path('offline'), '');
    const error = await pythonEnvironment(options()).catch(e => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain('PIP_INDEX_URL');
    await rm(path('offline'));
    await pythonEnvironment(options());
    expect(await calls()).toEqual(['venv', 'pip', 'venv', 'pip']);
  });

  test('without Python says how to name one', async () => {
    await expect(pythonEnvironment(options())).rejects.toThrow(/python3 -m venv .*ENOENT.*LONGHAUL_PYTHON/s);
  });
});
