/** Builds of other commits, of a repository made for it whose set-up only notes that it was run. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildOf, startsOf } from '../../../infra/bench/against';
import { UnavailableError } from '../../../infra/bench/side';
import type { Assignment } from '../../../infra/bench/work';
import { UserError } from '../../../infra/user-error';

const SETUP = `
const fs = require('node:fs');
const path = require('node:path');
const root = path.resolve(__dirname, '../..');
if (fs.existsSync(path.join(root, 'broken'))) process.exit(1);
fs.appendFileSync(path.join(root, 'set-up'), 'once\\n');
const ours = path.join(root, 'dist/infra/bench/ours.js');
fs.mkdirSync(path.dirname(ours), { recursive: true });
fs.writeFileSync(ours, "exports.startOurs = async () => 'a side of ' + " + JSON.stringify(root));
`;

describe('buildOf', () => {
  let folder: string;
  let checkout: string;
  const options = () => ({ cache: join(folder, 'cache'), log: () => {}, checkout });
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', checkout, ...args])
      .toString()
      .trim();

  async function commit(files: Record<string, string>): Promise<string> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(checkout, name)), { recursive: true });
      await writeFile(join(checkout, name), text);
    }
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'a commit');
    return git('rev-parse', 'HEAD');
  }

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-bench-test-')));
    checkout = join(folder, 'checkout');
    await mkdir(checkout);
    git('init', '--quiet');
    await commit({ 'infra/bin/setup.js': SETUP, 'package-lock.json': '1', '.gitignore': 'node_modules\n' });
    await mkdir(join(checkout, 'node_modules'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('checks the commit out and sets it up, once', async () => {
    const sha = git('rev-parse', 'HEAD');
    await commit({ later: '' });
    const build = await buildOf('HEAD~1', options());
    expect(sha.startsWith(build.commit)).toBe(true);
    expect(existsSync(join(build.root, 'later'))).toBe(false);
    expect(await buildOf(sha, options())).toEqual(build);
    expect(await readFile(join(build.root, 'set-up'), 'utf8')).toBe('once\n');
  });

  test("shares the checkout's packages where the same ones are asked for, and only there", async () => {
    await commit({ 'package-lock.json': '2' });
    const [same, other] = [await buildOf('HEAD', options()), await buildOf('HEAD~1', options())];
    expect(lstatSync(join(same.root, 'node_modules')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(other.root, 'node_modules'))).toBe(false);
  });

  test('is made anew where its folder is gone, or its set-up failed before', async () => {
    const { root } = await buildOf('HEAD', options());
    await rm(root, { recursive: true });
    expect((await buildOf('HEAD', options())).root).toBe(root);
    await commit({ broken: '' });
    await expect(buildOf('HEAD', options())).rejects.toThrow(UserError);
    await expect(buildOf('HEAD', options())).rejects.toThrow(/could not be built/);
  });

  test('refuses what is no commit', async () => {
    await expect(buildOf('no-such', options())).rejects.toThrow(/--against no-such: is no commit/);
    await expect(buildOf('--help', options())).rejects.toThrow(UserError);
  });

  test('its side is started by its own code, where it has any', async () => {
    const build = await buildOf('HEAD', options());
    expect(await (startsOf(build) as unknown as () => Promise<string>)()).toBe(`a side of ${build.root}`);
    await rm(join(build.root, 'dist'), { recursive: true });
    expect(() => startsOf(build)).toThrow(/ours\.js: is not there/);
  });

  test('its side takes no part in work that it does not know', async () => {
    const build = await buildOf('HEAD', options());
    const side = join(build.root, 'dist', 'infra', 'bench', 'ours.js');
    // As a table of kinds fails that lacks this one.
    await writeFile(side, 'exports.startOurs = async ({ work }) => ({})[work.kind]();');
    const assignment = { work: { kind: 'groups' } } as Assignment;
    const starting = startsOf(build)(assignment);
    await expect(starting).rejects.toThrow(UnavailableError);
    await expect(starting).rejects.toThrow(`${build.commit} has no work of the kind "groups"`);
  });
});
