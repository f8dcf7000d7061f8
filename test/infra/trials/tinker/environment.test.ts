/** Where the training server's Python is looked for, with programs that only say which version they are. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPython } from '../../../../infra/trials/tinker/environment';
import { UserError } from '../../../../infra/user-error';

describe('findPython', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-trial-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** @param version null: it cannot be run, as pyenv's stand-in for a version that is not chosen */
  async function python(name: string, version: string | null): Promise<string> {
    await mkdir(dirname(path(name)), { recursive: true });
    const says = version === null ? 'echo "command not found" >&2; exit 127' : `echo ${version}`;
    await writeFile(path(name), `#!/bin/sh\n${says}\n`, { mode: 0o755 });
    return path(name);
  }
  const env = (more: NodeJS.ProcessEnv = {}) => ({ PATH: path('bin'), HOME: folder, ...more });

  test('takes LONGHAUL_PYTHON before all others', async () => {
    await python('bin/python3.12', '3.12');
    const named = await python('mine/python', '3.12');
    expect(await findPython(env({ LONGHAUL_PYTHON: named }))).toBe(named);
  });

  test.each([
    ['3.11', /LONGHAUL_PYTHON=.*mine\/python is Python 3\.11; .* needs Python 3\.12/],
    [null, /LONGHAUL_PYTHON=.*mine\/python cannot be run/],
  ])('refuses LONGHAUL_PYTHON of version %s, whatever else there is', async (version, message) => {
    await python('bin/python3.12', '3.12');
    const named = await python('mine/python', version);
    await expect(findPython(env({ LONGHAUL_PYTHON: named }))).rejects.toThrow(message);
  });

  test('passes over one on the PATH that cannot be run or is another, and asks pyenv', async () => {
    await python('bin/python3.12', null);
    await python('bin/python3', '3.11');
    const found = await python('.pyenv/versions/3.12.1/bin/python', '3.12');
    await python('.pyenv/versions/3.13.0/bin/python', '3.13');
    expect(await findPython(env())).toBe(found);
  });

  test('takes python3 where that is one', async () => {
    const found = await python('bin/python3', '3.12');
    expect(await findPython(env())).toBe(found);
  });

  test('says what was looked for where there is none', async () => {
    const error = await findPython(env()).catch(e => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/no Python 3\.12.*python3\.12 .*pyenv.*LONGHAUL_PYTHON/);
  });
});
