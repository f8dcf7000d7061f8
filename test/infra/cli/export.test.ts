import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointUri, FolderStore, publishJson, resultUri, sha256 } from '../../../activities/store/index';
import { exportCommand } from '../../../infra/cli/export';

let root: string;
let store: FolderStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-export-'));
  store = new FolderStore(join(root, 'store'));
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const run = (...args: string[]) => exportCommand().parseAsync([...args, '--store', store.root], { from: 'user' });

async function finishedRun(recorded: string): Promise<void> {
  await store.workFolder(async work => {
    const folder = join(work, 'policy');
    await mkdir(folder);
    for (const file of ['config.json', 'model.safetensors', 'optimizer.safetensors', 'state.json']) {
      await writeFile(join(folder, file), file === 'state.json' ? '{"files":{}}' : file);
    }
    await store.publishFolder(checkpointUri('tiny', 'p1'), folder);
  });
  const policy = { name: 'p1', uri: checkpointUri('tiny', 'p1'), sha256: recorded };
  await publishJson(store, resultUri('tiny'), { run: 'tiny', policy, stages: [], evaluations: [] });
}

test("a finished run's policy becomes a plain model folder", async () => {
  await finishedRun(sha256('model.safetensors'));
  await run('tiny', join(root, 'out'));
  expect((await readdir(join(root, 'out'))).sort()).toEqual(['config.json', 'model.safetensors']);
  expect(await readFile(join(root, 'out', 'config.json'), 'utf8')).toBe('config.json');
});

test("the optimiser's state comes along when asked for", async () => {
  await finishedRun(sha256('model.safetensors'));
  await run('tiny', join(root, 'out'), '--optimizer');
  expect(await readdir(join(root, 'out'))).toContain('optimizer.safetensors');
});

test('a folder with something in it is left alone', async () => {
  await finishedRun(sha256('model.safetensors'));
  await mkdir(join(root, 'out'));
  await writeFile(join(root, 'out', 'mine'), '');
  await expect(run('tiny', join(root, 'out'))).rejects.toThrow('expected a new or an empty folder');
  expect(await readdir(join(root, 'out'))).toEqual(['mine']);
});

test('there is no adapter in a run that trained all weights', async () => {
  await finishedRun(sha256('model.safetensors'));
  await expect(run('tiny', join(root, 'out'), '--adapter')).rejects.toThrow(
    'trained all its weights: there is no adapter',
  );
});

test('weights that are not those the run ended with are said to be wrong', async () => {
  await finishedRun('0'.repeat(64));
  await expect(run('tiny', join(root, 'out'))).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}, found`);
});
