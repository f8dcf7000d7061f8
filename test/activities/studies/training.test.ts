import { costOf } from '../../../activities/studies/cost.js';
import { curvesOf, stagesOf } from '../../../activities/studies/training.js';
import { readCell } from '../../support/study-cells.js';

const none = {};
const cells = [readCell('a', 1, none), readCell('a', 3, none), readCell('b', 1, none)];

test('curves are the mean over seeds, with the least and the most of them', () => {
  const [a, b] = curvesOf(cells, ['a', 'b', 'c']);
  expect(a!.phases).toEqual([{ name: 'phase-1', from: 1 }]);
  expect(a!.reward.least).toEqual([0.1, 0.2]);
  expect(a!.reward.most.map(value => value!.toFixed(1))).toEqual(['0.3', '0.6']);
  expect(a!.reward.mean.map(value => value!.toFixed(1))).toEqual(['0.2', '0.4']);
  expect(b!.reward.mean).toEqual([0.1, 0.2]);
});

test('a step that some seed has not is of those that have it', () => {
  const short = readCell('a', 1, none);
  const cut = { ...short, steps: short.steps.map(one => ({ ...one, lines: one.lines.slice(0, 1) })) };
  const [curve] = curvesOf([cut, readCell('a', 3, none)], ['a']);
  expect(curve!.reward.mean[1]).toBeCloseTo(0.6, 9);
});

test('a stage has its means over all steps and seeds', () => {
  const [a] = stagesOf(cells, ['a']);
  expect(a).toEqual({
    variant: 'a',
    stage: 'phase-1',
    steps: 4,
    reward: expect.closeTo(0.3, 9),
    entropy: 0.5,
    kl: 0.001,
    gradNorm: 2,
  });
});

test('what was taken costs its maker alone', () => {
  const part = (of: string, key: string, seconds: number) => ({ name: 'warmup', key, of, seconds });
  const cell = (run: string, ...parts: ReturnType<typeof part>[]) => ({ ...readCell('a', 1, none).cell, run, parts });
  const cost = costOf([
    cell('one', part('one', 'k', 10), part('one', 'own', 5)),
    cell('two', part('one', 'k', 10), part('two', 'other', 7)),
    cell('three', part('one', 'k', 10)),
  ]);
  expect(cost).toEqual({
    spent: 22,
    alone: 42,
    shared: [{ name: 'warmup', of: 'one', seconds: 10, takenBy: ['two', 'three'] }],
  });
});
