import { wilson } from '../../../activities/benchmarks/interval.js';
import { type ItemResult, summarise } from '../../../activities/benchmarks/results.js';

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

  test('several answers to an item count as one item', () => {
    const row = summarise('sft', 'short', [item([1, 0], 1), item([1, 1], 1)], 'uri');
    expect(row.score).toBe(75);
    expect(row.low).toBeCloseTo(100 * wilson(0.75, 2).low, 10);
  });

  test('an empty evaluation is an error, not a zero', () => {
    expect(() => summarise('sft', 'none', [], 'uri')).toThrow(/none/);
  });
});
