import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Setup {
  checkNode(version: string, minimum: string): void;
  dependenciesDiffer(root: string): string | null;
  sourcesChanged(root: string): string | null;
  hashSources(root: string): string;
  build(root: string): void;
}
const setup = require('../../../infra/bin/setup.js') as Setup;
const { count } = require('../../../infra/bin/test.js') as { count(report: object): object };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-setup-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: unknown): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
}

test('an old Node is refused with what is needed; a newer one passes', () => {
  for (const version of ['18.20.1', '20.2.9']) {
    expect(() => setup.checkNode(version, '20.3')).toThrow(`Node ${version} is too old: longhaul needs 20.3 or newer`);
  }
  for (const version of ['20.3.0', '20.20.2', '24.0.0']) expect(() => setup.checkNode(version, '20.3')).not.toThrow();
});

describe('dependencies', () => {
  const lock = (packages: object) => ({ packages: { '': { name: 'x' }, ...packages } });

  test('are installed when there are none', async () => {
    await put('package-lock.json', lock({}));
    expect(setup.dependenciesDiffer(root)).toContain('not installed yet');
  });

  test('are installed again when the lock file asks for another version, or for one more', async () => {
    await put('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } });
    await put('package-lock.json', lock({ 'node_modules/a': { version: '1.0.1' } }));
    expect(setup.dependenciesDiffer(root)).toBe('a 1.0.1 is wanted, 1.0.0 installed; npm ci');
    await put(
      'package-lock.json',
      lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } }),
    );
    expect(setup.dependenciesDiffer(root)).toBe('b 2.0.0 is wanted, none installed; npm ci');
  });

  test("are left alone when they agree, also without other platforms' packages", async () => {
    await put('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } });
    await put(
      'package-lock.json',
      lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/a-win': { version: '1.0.0', optional: true } }),
    );
    expect(setup.dependenciesDiffer(root)).toBeNull();
  });
});

describe('the build', () => {
  beforeEach(async () => {
    for (const file of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) await put(file, '{}');
    await put('workers/deep/a.ts', 'export {};');
    await put('infra/notes.md', 'not compiled');
  });

  test('is made when there is none, and once only', async () => {
    expect(setup.sourcesChanged(root)).toContain('not built yet');
    await put('dist/.sources', setup.hashSources(root));
    expect(setup.sourcesChanged(root)).toBeNull();
  });

  test.each<[string, () => Promise<void>]>([
    ['a source is changed', () => appendFile(join(root, 'workers/deep/a.ts'), '//')],
    ['a source is added', () => put('activities/b.ts', '')],
    ['a source is removed', () => rm(join(root, 'workers/deep/a.ts'))],
    ['the settings change', () => put('tsconfig.json', '{ }')],
  ])('is made again when %s', async (_, change) => {
    await put('dist/.sources', setup.hashSources(root));
    await change();
    expect(setup.sourcesChanged(root)).toContain('sources changed');
  });

  /** Stands for the compiler: writes a bundling program that notes in dist that it has run, and ends with `code`. */
  const compiler = (code: number) =>
    put(
      'node_modules/typescript/bin/tsc',
      `const { mkdirSync, writeFileSync } = require('node:fs');
       const folder = process.argv.at(-1) + '/workers';
       mkdirSync(folder, { recursive: true });
       writeFileSync(folder + '/bundle.js', "require('node:fs').appendFileSync(__dirname + '/../bundled', 'once ')");
       process.exitCode = ${code};`,
    );

  test('compiles, bundles the workflows once, and takes the place of the old one', async () => {
    await put('dist/removed.js', '');
    await compiler(0);
    setup.build(root);
    expect((await readdir(join(root, 'dist'))).sort()).toEqual(['.sources', 'bundled', 'workers']);
    expect(await readFile(join(root, 'dist/bundled'), 'utf8')).toBe('once ');
    expect(setup.sourcesChanged(root)).toBeNull();
  });

  test('that fails leaves the old one, and nothing half-done', async () => {
    await put('dist/old.js', '');
    await compiler(1);
    const before = await readdir(root);
    expect(() => setup.build(root)).toThrow('The sources do not compile');
    expect(await readdir(root)).toEqual(before);
    expect(await readdir(join(root, 'dist'))).toEqual(['old.js']);
  });

  test('is not made again for what is not compiled', async () => {
    await put('dist/.sources', setup.hashSources(root));
    await put('infra/notes.md', 'changed');
    expect(setup.sourcesChanged(root)).toBeNull();
  });
});

describe('the lock', () => {
  /** Runs a process that appends "in" and "out" to a file, under the lock. */
  function worker(lock: string, journal: string): Promise<number | null> {
    const code = `
      const { withLock } = require(${JSON.stringify(join(__dirname, '../../../infra/bin/lock.js'))});
      const { appendFileSync } = require('node:fs');
      withLock(${JSON.stringify(lock)}, () => {}, async () => {
        appendFileSync(${JSON.stringify(journal)}, 'in ');
        await new Promise(resolve => setTimeout(resolve, 50));
        appendFileSync(${JSON.stringify(journal)}, 'out ');
      });`;
    const child = spawn(process.execPath, ['-e', code], { stdio: 'inherit' });
    return new Promise(resolve => child.once('exit', resolve));
  }

  test('lets one in at a time, and takes over from a process that is gone', async () => {
    const [lock, journal] = [join(root, 'setup.lock'), join(root, 'journal')];
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise(resolve => gone.once('exit', resolve));
    await writeFile(lock, String(gone.pid));
    const codes = await Promise.all([1, 2, 3].map(() => worker(lock, journal)));
    expect(codes).toEqual([0, 0, 0]);
    expect(await readFile(journal, 'utf8')).toBe('in out in out in out ');
  });
});

test('a test file that could not be run counts as a failure', () => {
  const report = {
    numPassedTests: 7,
    numFailedTests: 1,
    numRuntimeErrorTestSuites: 2,
    numPendingTests: 3,
    numTodoTests: 0,
  };
  expect(count(report)).toEqual({ passed: 7, failed: 3, skipped: 3 });
});
