/** Node packages of a benchmark, installed by a stand-in for npm that only notes what it was asked. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeModules } from '../../../infra/bench/node-modules';
import { UserError } from '../../../infra/user-error';

describe('nodeModules', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const manifest = (version: string) =>
    writeFile(path('packages.json'), JSON.stringify({ dependencies: { llama: version } }));
  const options = () => ({ manifest: path('packages.json'), cache: path('cache'), log: () => {}, npm: path('npm') });
  const calls = async () => (await readFile(path('calls'), 'utf8')).trim().split('\n');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
    await manifest('1.0.0');
    const script = `#!/bin/sh\necho "$PWD $@" >> '${path('calls')}'\nif [ -e '${path('offline')}' ]; then exit 1; fi\n`;
    await writeFile(path('npm'), script, { mode: 0o755 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('are installed once, in a folder of their own, without running what they bring', async () => {
    const made = await nodeModules(options());
    expect(await nodeModules(options())).toBe(made);
    expect(await readFile(join(made, 'package.json'), 'utf8')).toContain('"llama":"1.0.0"');
    const [call, ...others] = await calls();
    expect(others).toEqual([]);
    expect(call).toContain(`${made} install --ignore-scripts`);
  });

  test('are others for other versions', async () => {
    const before = await nodeModules(options());
    await manifest('2.0.0');
    expect(await nodeModules(options())).not.toBe(before);
    expect(existsSync(before)).toBe(true);
  });

  test('are not taken for complete when npm failed', async () => {
    await writeFile(path('offline'), '');
    await expect(nodeModules(options())).rejects.toThrow(UserError);
    await rm(path('offline'));
    await nodeModules(options());
    expect(await calls()).toHaveLength(2);
  });
});
