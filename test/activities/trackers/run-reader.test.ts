/** What trackers share of a run that they read: looks at the store, and points, neither older than it may be. */
import { FolderStore } from '../../../activities/store/index.js';
import { RunReader } from '../../../activities/trackers/run-reader.js';
import { finishedRun, viewOf } from '../../support/finished-run.js';
import type { SmallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeAll(async () => {
  small = await finishedRun();
});
afterAll(() => small.remove());
afterEach(() => jest.restoreAllMocks());

test('four trackers look once, and read each point once', async () => {
  const store = new FolderStore(small.store.root);
  const [lists, finds] = [jest.spyOn(store, 'list'), jest.spyOn(store, 'find')];
  const reader = new RunReader(store, 'run', 60_000);
  const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => reader.tracks()));
  const looks = lists.mock.calls.length;
  for (const tracks of others) expect(tracks).toBe(first);
  const marks = first!.tracks[0]!.marks;
  const read = async () => Promise.all(marks.map(mark => reader.point(mark)));
  const points = await read();
  const asked = finds.mock.calls.length;
  expect(await read()).toEqual(points);
  expect([lists.mock.calls.length, finds.mock.calls.length]).toEqual([looks, asked]);
});

test('a look is as fresh as was asked for', async () => {
  const lengthsOf = async (freshMs: number) => {
    const view = viewOf(small.store, 4);
    const reader = new RunReader(view, 'run', freshMs);
    const before = (await reader.tracks())!.tracks[0]!.marks.length;
    view.shows = () => true;
    return [before, (await reader.tracks())!.tracks[0]!.marks.length];
  };
  const [before, after] = await lengthsOf(0);
  expect(after).toBeGreaterThan(before!);
  expect(await lengthsOf(60_000)).toEqual([before, before]);
});

test('what could not be read, or was not there, is asked for again', async () => {
  const store = new FolderStore(small.store.root);
  const reader = new RunReader(store, 'run', 60_000);
  jest.spyOn(store, 'list').mockRejectedValueOnce(new Error('the store is away'));
  await expect(reader.tracks()).rejects.toThrow('the store is away');
  const [, step] = (await reader.tracks())!.tracks[0]!.marks.filter(({ kind }) => kind === 'step');
  jest.spyOn(store, 'publishedAt').mockResolvedValueOnce(null);
  expect(await reader.point(step!)).toBeNull();
  expect(await reader.point(step!)).toMatchObject({ kind: 'step' });
});
