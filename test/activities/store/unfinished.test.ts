/** What a sweep takes for abandoned, whatever the clock says meanwhile. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../../activities/store/index.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let root: string;
let work: string;
let store: FolderStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-sweep-'));
  work = join(root, '.work');
  store = new FolderStore(root);
  await mkdir(work);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(root, { recursive: true });
});

/** Dates work back, as a clock that jumps ahead makes it look. */
async function age(path: string, milliseconds: number): Promise<void> {
  const then = new Date((await stat(path)).mtimeMs - milliseconds);
  await utimes(path, then, then);
}

test.each([
  ['days ahead', 30 * DAY],
  ['hours ahead', 5 * HOUR],
  ['hours back', -5 * HOUR],
])('a clock that jumps %s costs a living writer nothing', async (_, jump) => {
  await store.workFolder(async folder => {
    await writeFile(join(folder, 'half'), 'written');
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + jump);
    if (jump > 0) await age(folder, jump);
    await new FolderStore(root).sweep();
    expect(await readdir(folder)).toEqual(['half']);
  });
  expect(await readdir(work)).toEqual([]);
});

test('work of a process of this machine that has ended goes at once', async () => {
  const program = `
    const { FolderStore } = require(${JSON.stringify(join(__dirname, '../../../dist/activities/store'))});
    new FolderStore(process.argv[1]).workFolder(async () => process.exit());`;
  execFileSync(process.execPath, ['-e', program, root]);
  expect(await readdir(work)).toHaveLength(1);
  await store.sweep();
  expect(await readdir(work)).toEqual([]);
});

test('a process number that another process has by now does not keep work', async () => {
  await store.workFolder(async folder => {
    const own = folder.split('/').at(-1)!;
    const other = own.replace(/-[0-9a-f]{12}\./, '-000000000000.');
    await writeFile(join(work, other), '');
    await store.sweep();
    expect(await readdir(work)).toEqual([own]);
  });
});

describe('work of another machine', () => {
  const theirs = '0123456789ab.1-0123456789ab.one';

  test.each([
    ['a named writer', theirs],
    ['nobody that it names', 'one'],
  ])('of %s goes after a week by the clock of the file system', async (_, name) => {
    const path = join(work, name);
    await writeFile(path, '');
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 30 * DAY);
    await store.sweep();
    expect(await readdir(work)).toEqual([name]);
    await age(path, 6 * DAY);
    await store.sweep();
    expect(await readdir(work)).toEqual([name]);
    await age(path, 2 * DAY);
    await store.sweep();
    expect(await readdir(work)).toEqual([]);
  });
});

test('what is published stays, however old', async () => {
  const uri = 'store:runs/r/spec.json';
  await store.publishText(uri, 'x');
  await age(join(root, 'runs/r/spec.json'), 400 * DAY);
  await store.sweep();
  expect(await store.has(uri)).toBe(true);
});

test('a store without work is swept', async () => {
  await rm(work, { recursive: true });
  await store.sweep();
});
