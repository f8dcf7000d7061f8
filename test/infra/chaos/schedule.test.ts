import { schedule } from '../../../infra/chaos/schedule.js';

const KINDS = ['a', 'b', 'c', 'd', 'e'];

test('is a function of the seed', () => {
  expect(schedule(7, 20, KINDS, 5)).toEqual(schedule(7, 20, KINDS, 5));
  expect(schedule(8, 20, KINDS, 5)).not.toEqual(schedule(7, 20, KINDS, 5));
  expect(schedule(7, 20, KINDS, 5)).toEqual(schedule(7, 100, KINDS, 5).slice(0, 20));
});

test('strikes with every kind before it strikes with one again', () => {
  for (const seed of [1, 2, 3]) {
    const kinds = schedule(seed, 10, KINDS, 5).map(({ kind }) => kind);
    expect(kinds.slice(0, 5).sort()).toEqual(KINDS);
    expect(kinds.slice(5).sort()).toEqual(KINDS);
  }
});

test('leaves no more peace than it is given', () => {
  const peace = new Set(schedule(1, 200, KINDS, 3).map(({ after }) => after));
  expect([...peace].sort()).toEqual([0, 1, 2, 3]);
});
