import { advanced, isSnapshotDue, NEW_CLOCK, restarted, stepsBetween } from '../../workflows/snapshot-interval.js';

describe('every so many steps', () => {
  const due = (from: number, to: number) => isSnapshotDue(3, { from, to }, NEW_CLOCK);

  test('counts from the stage on, whatever the blocks', () => {
    expect([1, 2, 3, 4, 5, 6, 7].filter(step => due(step - 1, step))).toEqual([3, 6]);
    expect([due(1, 4), due(3, 5), due(2, 9)]).toEqual([true, false, true]);
  });

  test('limits blocks to as many, whatever a step takes', () => {
    expect([stepsBetween(3, null, null), stepsBetween(3, 100, 1e-9)]).toEqual([3, 3]);
  });
});

describe("by Young's rule", () => {
  // sqrt(2 * 4 * 5000) = 200 seconds.
  const rule = { cost: 4, meanTimeBetweenFailures: 5000 };
  const due = (worked: number, redo: number, cost: number | null = null) =>
    isSnapshotDue(rule, { from: 0, to: 1 }, { worked, redo, cost });

  test('where all would be done again, after sqrt(2 C M) seconds', () => {
    expect([due(199.9, 199.9), due(200, 200), due(201, 201)]).toEqual([false, true, true]);
  });

  test('where only updates would, the later the less these are', () => {
    // A quarter of the work: twice the time.
    expect([due(399, 99.75), due(400, 100)]).toEqual([false, true]);
    expect(due(1e9, 0)).toBe(false);
  });

  test('a measured cost takes the place of the estimate', () => {
    // sqrt(2 * 16 * 5000) = 400
    expect([due(399, 399, 16), due(400, 400, 16)]).toEqual([false, true]);
    expect([due(99, 99, 1), due(100, 100, 1)]).toEqual([false, true]);
  });

  test('nothing measured as a cost puts it off for longer than failures are apart', () => {
    expect([due(4999, 4999, 1e6), due(5000, 5000, 1e6)]).toEqual([false, true]);
    expect([due(4999, 4999, 2500), due(5000, 5000, 2500)]).toEqual([false, true]);
  });

  test('what costs nothing is due as soon as there is something to lose', () => {
    expect([due(0, 0, 0), due(10, 0, 0), due(0.001, 0.001, 0)]).toEqual([false, false, true]);
  });

  test('blocks are as long as the interval, at least a step, and one step while it is not known how long that takes', () => {
    expect(stepsBetween(rule, null, null)).toBe(1);
    expect([1, 50, 100, 101, 1000].map(seconds => stepsBetween(rule, null, seconds))).toEqual([200, 4, 2, 1, 1]);
    expect(stepsBetween(rule, 16, 100)).toBe(4);
    expect([stepsBetween(rule, 0, 0), stepsBetween(rule, 0, 1)]).toEqual([1, 1]);
    expect(stepsBetween(rule, null, 0)).toBe(200_000);
  });
});

test('the clock adds up, begins anew with a snapshot, and then knows its cost', () => {
  const after = advanced(advanced(NEW_CLOCK, { worked: 10, redo: 2 }), { worked: 5, redo: 1 });
  expect(after).toEqual({ cost: null, worked: 15, redo: 3 });
  expect(advanced(restarted(7), { worked: 1, redo: 1 })).toEqual({ cost: 7, worked: 1, redo: 1 });
});
