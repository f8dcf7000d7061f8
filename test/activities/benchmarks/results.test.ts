import { wilson } from '../../../activities/benchmarks/interval.js';
import {
  type ItemResult,
  itemScores,
  type ScoredAnswer,
  summarise,
  summariseItems,
} from '../../../activities/benchmarks/results.js';

describe('wilson', () => {
  // R: prop.test(x, n, correct = FALSE)$conf.int
  test.each([
    [0, 10, 0, 0.2775328],
    [1, 10, 0.0178762, 0.40415],
    [5, 10, 0.2365931, 0.7634069],
    [10, 10, 0.7224672, 1],
    [81, 263, 0.2552868, 0.3662099],
    [15, 148, 0.0623997, 0.1604753],
  ])('%i of %i', (right, items, low, high) => {
    const interval = wilson(right / items, items);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('no items, no knowledge; no share outside 0 to 1', () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
    expect(() => wilson(1.1, 5)).toThrow(RangeError);
    expect(() => wilson(Number.NaN, 5)).toThrow(RangeError);
  });
});

const item = (scores: (0 | 1)[], promptTokens: number): ItemResult => ({
  id: 'i',
  question: 'q',
  golds: ['g'],
  promptTokens,
  answers: scores.map(score => ({
    text: 't',
    reward: score,
    rule: score,
    extracted: null,
    reason: 'r',
    tokens: 1,
    finish: 'stop',
  })),
});

describe('summarise', () => {
  test('percent with the interval over items', () => {
    const items = [...Array(5).fill(item([1], 10)), ...Array(5).fill(item([0], 30))];
    const row = summarise('sft', 'short', items, 'uri');
    expect(row).toMatchObject({ policy: 'sft', set: 'short', items: 10, score: 50, meanPromptTokens: 20, uri: 'uri' });
    expect(row.low).toBeCloseTo(23.659, 2);
    expect(row.high).toBeCloseTo(76.341, 2);
  });

  test('an empty evaluation is an error, not a zero', () => {
    expect(() => summarise('sft', 'none', [], 'uri')).toThrow(/none/);
  });
});

const answer = (reward: number, f1: number): ScoredAnswer => ({
  text: 't',
  reward,
  rule: 0,
  extracted: null,
  reason: 'r',
  tokens: 1,
  finish: 'stop',
  official: { f1 },
});
const of = (id: string, answers: ScoredAnswer[]): ItemResult => ({ ...item([], 1), id, answers });
const unscored = (id: string): ItemResult => {
  const answers: ScoredAnswer[] = [{ text: 't', tokens: 1, finish: 'stop' }];
  return { ...item([], 1), id, answers, unscored: 'judge away' };
};

describe('summariseItems', () => {
  test('mean@n, pass@k and official metrics, over the scored items', () => {
    const items = [
      of('a', [answer(1, 1), answer(0, 0.5), answer(0, 0)]),
      of('b', [answer(0, 0), answer(0, 0), answer(0, 0)]),
      unscored('c'),
    ];
    const summary = summariseItems(items, { k: [1, 2, 3] });
    expect(summary).toMatchObject({ items: 2, unscored: 1, meanAt: 3 });
    expect(summary.score).toBeCloseTo(100 / 6, 10);
    // One of three right: a draw of two has it two times in three.
    expect([1, 2, 3].map(k => summary.passAt[k]!.score)).toEqual([
      expect.closeTo(100 / 6, 10),
      expect.closeTo(100 / 3, 10),
      expect.closeTo(50, 10),
    ]);
    expect(summary.official.f1!.score).toBeCloseTo(25, 10);
  });

  test('several answers to an item are no several items: the interval is as wide as that of their means', () => {
    const once = [of('a', [answer(1, 1)]), of('b', [answer(0, 0)]), of('c', [answer(1, 0)])];
    const twice = once.map(one => ({ ...one, answers: [...one.answers, ...one.answers] }));
    const [one, two] = [summariseItems(once), summariseItems(twice)];
    expect([two.low, two.high]).toEqual([one.low, one.high]);
  });

  test('what cannot be summarised is refused by name', () => {
    const whole = of('a', [answer(1, 1), answer(1, 1)]);
    expect(() => summariseItems([])).toThrow(/at least one item/);
    expect(() => summariseItems([unscored('c')])).toThrow(/none of its 1 items could be scored: judge away/);
    expect(() => summariseItems([whole, of('b', [answer(1, 1)])])).toThrow(/item b: expected 2 answers.* got 1/);
    expect(() => summariseItems([of('b', [])])).toThrow(/item b: expected at least one/);
    expect(() => summariseItems([whole], { k: [3] })).toThrow(/pass@3/);
    const { official: _, ...bare } = answer(1, 1);
    expect(() => summariseItems([whole, of('b', [bare, bare])])).toThrow(/item b, answer 0: .*\[f1\]/);
    const { reward: __, ...unrewarded } = answer(1, 1);
    expect(() => summariseItems([of('b', [unrewarded])])).toThrow(/item b, answer 0: expected a reward/);
  });
});

describe('itemScores', () => {
  test('percent by id, of the scored', () => {
    const items = [of('a', [answer(1, 0.5), answer(0, 1)]), unscored('c')];
    expect([...itemScores(items, 'reward')]).toEqual([['a', 50]]);
    expect([...itemScores(items, 'f1')]).toEqual([['a', 75]]);
    expect(() => itemScores(items, 'em')).toThrow(/item a: expected scores by em/);
    expect(() => itemScores([items[0]!, items[0]!], 'f1')).toThrow(/item a: expected every item once/);
  });
});
