/** `longhaul export-metrics`, as a person types it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createActivities } from '../../../activities/index.js';
import { main } from '../../../infra/cli/main.js';
import { finishedRun } from '../../support/finished-run.js';
import type { SmallRun } from '../../support/small-run.js';

let small: SmallRun;
const said = { out: '', err: '' };

beforeAll(async () => {
  small = await finishedRun();
});
afterAll(() => small.remove());
beforeEach(() => {
  said.out = '';
  said.err = '';
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    said.out += text;
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation(text => {
    said.err += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});

const run = (...args: string[]) => main(['node', 'longhaul', 'export-metrics', ...args, '--store', small.store.root]);

test('writes what is missing, and nothing the second time', async () => {
  const file = join(small.folder, '{run}.jsonl');
  const logs = join(small.folder, 'logs');
  expect(await run('run', '--jsonl', file, '--tensorboard', logs)).toBe(0);
  expect(said.out).toBe(`tensorboard  ${logs}: 12 points written\njsonl        ${file}: 12 points written\n`);
  said.out = '';
  expect(await run('run', '--jsonl', file)).toBe(0);
  expect(said.out).toBe(`jsonl        ${file}: 0 points written, 12 points there before\n`);
  expect((await readFile(join(small.folder, 'run.jsonl'), 'utf8')).split('\n')).toHaveLength(13);
});

test('one tracker that fails leaves the others theirs, and is named', async () => {
  const strange = join(small.folder, 'strange');
  await writeFile(strange, 'something else');
  const logs = join(small.folder, 'other-logs');
  expect(await run('run', '--jsonl', strange, '--tensorboard', logs, '--mlflow', 'http://127.0.0.1:9')).toBe(1);
  expect(said.out).toBe(`tensorboard  ${logs}: 12 points written\n`);
  expect(said.err).toMatch(/^jsonl: .*strange:1 is no line of metrics.*\nmlflow: MLflow at .* does not answer/s);
});

test('a run takes the trackers of its spec, else those of the cpu worker, and may go on with others', async () => {
  const { prepareRun } = createActivities({ ...small.deps, exportTo: { tensorboard: '/worker' } });
  const exportTo = async (spec: object) => (await small.run(prepareRun, { run: 'run', input: spec as never })).exportTo;
  expect(await exportTo(small.spec)).toEqual({ tensorboard: '/worker' });
  expect(await exportTo({ ...small.spec, export: { jsonl: '/spec' } })).toEqual({ jsonl: '/spec' });
  const { prepareRun: plain } = createActivities(small.deps);
  expect(await small.run(plain, { run: 'run', input: small.spec })).not.toHaveProperty('exportTo');
});

test.each([
  [['nobody', '--jsonl', 'x'], 'The store has no run "nobody".'],
  [['../run', '--jsonl', 'x'], 'The store has no run "../run".'],
  [['run'], 'The spec of "run" names no tracker: give one, as --tensorboard FOLDER.'],
  [['run', '--trackio', 'nowhere'], '--trackio: expected an address such as'],
])('%j is refused', async (args, message) => {
  expect(await run(...args)).toBe(1);
  expect(said.err).toContain(message);
});
