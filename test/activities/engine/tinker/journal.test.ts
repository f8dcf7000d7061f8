/** The journal: what one engine wrote, the next one reads, up to the last whole line. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCallLog, lastState, type ModelState } from '../../../../activities/engine/tinker/journal';
import type { Meaning } from '../../../../activities/engine/tinker/meaning';

const STATE: ModelState = {
  service: 'the training service at http://trainer',
  id: 'm1',
  served: 'base',
  rank: 4,
  meaning: {} as Meaning,
  nextSeq: 1,
  directory: '/base',
  tag: null,
  step: 0,
  canary: [],
  checkpoint: null,
  sampler: null,
  open: true,
  clip: null,
};
const checkpoint = { path: 'tinker://m1/weights/s3', kept: false };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('nothing, in a folder that is not there yet', async () => {
  expect(await lastState(new FileCallLog(join(folder, 'new')))).toBeNull();
});

test('a policy is what was said of it last, and calls are counted on', async () => {
  const log = new FileCallLog(join(folder, 'new'));
  await log.begin({ kind: 'model', ...STATE });
  for (const seq of [1, 2, 3]) await log.append({ kind: 'call', seq, what: 'forward' });
  await log.append({ kind: 'done', tag: 'policy', step: 1, canary: [-1], checkpoint });
  await log.append({ kind: 'sampler', path: 'tinker://m1/s4' });
  await log.append({ kind: 'kept' });
  expect(await lastState(log)).toEqual({
    ...STATE,
    ...{ nextSeq: 4, tag: 'policy', step: 1, canary: [-1], open: false },
    ...{ sampler: 'tinker://m1/s4', checkpoint: { ...checkpoint, kept: true } },
  });
  await log.append({ kind: 'open' });
  expect((await lastState(log))!.open).toBe(true);
  await log.append({ kind: 'done', tag: 'next', step: 2, canary: [-2], checkpoint });
  expect(await lastState(log)).toMatchObject({ tag: 'next', step: 2, open: false, sampler: null, checkpoint });
  await log.append({ kind: 'abandoned' });
  expect(await lastState(log)).toBeNull();
});

test('a line that was torn is as if it was never written, and what begins anew leaves nothing of it', async () => {
  const log = new FileCallLog(folder);
  await log.begin({ kind: 'model', ...STATE });
  await appendFile(join(folder, 'calls.jsonl'), '{"kind":"call","se');
  expect((await lastState(log))!.nextSeq).toBe(1);
  await log.begin({ kind: 'model', ...STATE, id: 'm2' });
  expect((await readFile(join(folder, 'calls.jsonl'), 'utf8')).split('\n')).toHaveLength(2);
  expect((await lastState(log))!.id).toBe('m2');
});
