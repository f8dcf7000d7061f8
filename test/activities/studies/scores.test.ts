import { differencesOf, hypothesesOf, scoresOf } from '../../../activities/studies/scores.js';
import { readCell } from '../../support/study-cells.js';

/** Of twenty items the first `right` are right, turned by the seed so that seeds differ in which. */
const answers = (right: number, seed: number) =>
  new Map(Array.from({ length: 20 }, (_, k) => [`q${k}`, (k + seed) % 20 < right ? 100 : 0]));

const SEEDS = [1, 2, 3, 4];
const cells = [
  ...SEEDS.map(seed => readCell('good', seed, { final: answers(18, seed), base: answers(2, seed) })),
  ...SEEDS.map(seed => readCell('bad', seed, { final: answers(3, seed), base: answers(2, seed) })),
  ...SEEDS.map(seed => readCell('same', seed, { final: answers(18 + (seed % 2 ? 1 : -1), seed) })),
  readCell('young', 1, { final: answers(18, 1) }),
  readCell('other', 1, { final: answers(18, 1) }, 'other questions'),
];
const claim = (changes: object) =>
  hypothesesOf(cells, [{ variant: 'good', above: 'bad', on: 'set', at: 'final', ...changes }])[0]!;

test.each([
  ['shown', { claim: 'in words' }, 'in words', 75],
  ['refuted', { variant: 'bad', above: 'good' }, 'bad (final) above good (final) on set', -75],
  ['open', { above: 'same' }, 'good (final) above same (final) on set', 0],
  ['shown', { above: 'good', aboveAt: 'base' }, 'good (final) above good (base) on set', 80],
])('%s', (verdict, changes, words, difference) => {
  const found = claim(changes);
  expect(found).toMatchObject({ verdict, claim: words, seeds: SEEDS, items: 20 });
  expect(found.difference).toBeCloseTo(difference, 9);
  expect(found.reason).toBeUndefined();
  expect([found.low <= found.difference, found.difference <= found.high]).toEqual([true, true]);
});

test.each([
  ['one seed of both', { above: 'young' }, 'one seed alone', [1]],
  ['none of both', { above: 'young', aboveAt: 'base' }, 'no seed of both has ended', []],
  ['other questions', { above: 'other' }, 'they answered other questions', [1]],
])('%s leaves it open, and says why', (_, changes, reason, seeds) => {
  const found = claim(changes);
  expect(found.verdict).toBe('open');
  expect(found.reason).toContain(reason);
  expect(found.seeds).toEqual(seeds);
});

test('a score for each variant, policy and set, over the seeds there are', () => {
  const scores = scoresOf(cells);
  expect(scores.map(({ variant, at, seeds }) => [variant, at, seeds.length])).toEqual([
    ['good', 'final', 4],
    ['good', 'base', 4],
    ['bad', 'final', 4],
    ['bad', 'base', 4],
    ['same', 'final', 4],
    ['young', 'final', 1],
    ['other', 'final', 1],
  ]);
  expect(scores[0]).toMatchObject({ score: 90, items: 20, meanPromptTokens: 100 });
});

test('items that some seed has no score for are left out of all', () => {
  const short = new Map([...answers(18, 1)].slice(0, 15));
  const [score] = scoresOf([readCell('a', 1, { final: short }), readCell('a', 2, { final: answers(18, 2) })]);
  expect(score!.items).toBe(15);
});

test('every later variant against the first, where both have a seed in common', () => {
  const found = differencesOf(cells, ['good', 'bad', 'young', 'none']);
  expect(found.map(({ first, second, difference }) => [first.variant, second.variant, Math.round(difference)])).toEqual(
    [
      ['bad', 'good', -75],
      ['young', 'good', 0],
    ],
  );
});
