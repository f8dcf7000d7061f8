/** The receivers that measurements are made with: a tracker's client takes them for its server, and sends no more and no less. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CatchUp, RunReader, trackersOf } from '../../../../activities/trackers/index.js';
import { StandIns } from '../../../../infra/trials/trackers/stand-ins.js';
import { finishedRun } from '../../../support/finished-run.js';
import type { SmallRun } from '../../../support/small-run.js';

const { signal } = new AbortController();
let small: SmallRun;
let folder: string;
let receivers: StandIns;

beforeAll(async () => {
  small = await finishedRun();
  folder = await mkdtemp(join(tmpdir(), 'longhaul-stand-ins-'));
  receivers = await StandIns.start(folder);
});
afterAll(async () => {
  await receivers.stop();
  await small.remove();
  await rm(folder, { recursive: true, force: true });
});

/** By a worker that knows nothing of what was sent before. */
const pass = (run: string) =>
  Promise.all(
    trackersOf(receivers.settings, {}).map(async tracker => {
      const { written, present, isWhole } = await new CatchUp(new RunReader(small.store, run), tracker).pass(signal);
      return { name: tracker.name, written, present, isWhole };
    }),
  );

test('they take every point once, and know it afterwards', async () => {
  const first = await pass('run');
  expect(first.map(({ name }) => name).sort()).toEqual(['jsonl', 'mlflow', 'tensorboard', 'trackio']);
  const points = first[0]!.written;
  expect(points).toBeGreaterThan(5);
  expect(first).toEqual(first.map(({ name }) => ({ name, written: points, present: points, isWhole: true })));
  expect(await pass('run')).toEqual(first.map(one => ({ ...one, written: 0 })));
});
