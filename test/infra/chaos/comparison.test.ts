import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compareRuns } from '../../../infra/chaos/comparison.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longhaul-comparison-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const policyOf = (run: string, name: string) => ({ name, uri: `store:runs/${run}/checkpoints/${name}`, sha256: name });

/** A run of one phase, whose snapshots are `base`, `end` and those named, with what is given laid over it. */
async function written(run: string, within: string[], changes: Record<string, string | null> = {}) {
  const end = policyOf(run, 'end');
  const stages = [{ name: 'phase-1', kind: 'phase', steps: 3, seconds: Math.random(), policy: end }];
  const files: Record<string, string | null> = {
    'base.json': JSON.stringify(policyOf(run, 'base'), null, 1),
    'result.json': JSON.stringify({ run, policy: end, stages, evaluations: [] }, null, 1),
    'phase-1/1/steps/1/update.json': JSON.stringify({ result: policyOf(run, 'a') }, null, 1),
  };
  for (const name of ['base', 'end', ...within]) {
    files[`checkpoints/${name}/state.json`] = JSON.stringify({ name, base: policyOf(run, 'base') });
    files[`checkpoints/${name}/model.safetensors`] = `weights of ${name}`;
  }
  for (const [path, text] of Object.entries({ ...files, ...changes })) {
    if (text === null) continue;
    const file = join(root, 'runs', run, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { store: root, run };
}

const EQUAL = { missing: [], extra: [], different: [], unmatched: 0, aside: [] };

test('two runs that differ in their names and times alone are equal', async () => {
  expect(await compareRuns(await written('calm', ['a']), await written('mine', ['a']))).toEqual({ ...EQUAL, files: 9 });
});

test('snapshots within a stage that one alone has are counted, and not compared', async () => {
  const comparison = await compareRuns(await written('calm', ['a', 'b']), await written('mine', ['b', 'c', 'd']));
  expect(comparison).toEqual({ ...EQUAL, files: 9, unmatched: 3 });
});

test('one that both have must be the same, file by file', async () => {
  const mine = await written('mine', ['a'], {
    'checkpoints/a/model.safetensors': 'others',
    'checkpoints/a/optimizer.safetensors': 'moments',
    'checkpoints/a/state.json': null,
  });
  expect(await compareRuns(await written('calm', ['a']), mine)).toMatchObject({
    different: ['checkpoints/a/model.safetensors'],
    extra: ['checkpoints/a/optimizer.safetensors'],
    missing: ['checkpoints/a/state.json'],
    unmatched: 0,
  });
});

describe('what a run begins with and its stages end with', () => {
  const gone = (name: string) => ({
    [`checkpoints/${name}/state.json`]: null,
    [`checkpoints/${name}/model.safetensors`]: null,
  });

  test.each(['base', 'end'])('%s: must be in the disturbed run', async name => {
    const { missing, unmatched } = await compareRuns(await written('calm', []), await written('mine', [], gone(name)));
    expect({ missing: missing.sort(), unmatched }).toEqual({ missing: Object.keys(gone(name)).sort(), unmatched: 0 });
  });

  test('and in the other', async () => {
    const { extra, unmatched } = await compareRuns(await written('calm', [], gone('end')), await written('mine', []));
    expect({ extra: extra.sort(), unmatched }).toEqual({ extra: Object.keys(gone('end')).sort(), unmatched: 0 });
  });

  test('is missed where neither has it', async () => {
    const runs = [await written('calm', [], gone('end')), await written('mine', [], gone('end'))] as const;
    expect(await compareRuns(...runs)).toMatchObject({ missing: ['checkpoints/end'], unmatched: 0 });
  });
});

test('of all other files none may be missing, extra or different, and what was set aside is told', async () => {
  const mine = await written('mine', [], {
    'phase-1/1/steps/1/update.json': JSON.stringify({ result: policyOf('mine', 'z') }, null, 1),
    'phase-1/1/steps/2/update.json': '{}',
    'base.json.damaged': '{}',
    'checkpoints/end.damaged/model.safetensors': 'x',
  });
  const calm = await written('calm', [], { 'pools/phase-1.json': '{}' });
  expect(await compareRuns(calm, mine)).toMatchObject({
    different: ['phase-1/1/steps/1/update.json'],
    extra: ['phase-1/1/steps/2/update.json'],
    missing: ['pools/phase-1.json'],
    aside: ['base.json.damaged', 'checkpoints/end.damaged/model.safetensors'],
  });
});
