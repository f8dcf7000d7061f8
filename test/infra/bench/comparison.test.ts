import { compare, tooSlow } from '../../../infra/bench/comparison';
import { measurement, resultOf } from './results';

const run = (seconds: number[], product?: number) =>
  resultOf({ 'grpo-512': { ours: measurement(seconds), peers: {} } }, product);

describe('compare', () => {
  test('gives time now over time then', () => {
    const [change] = compare(run([1.5, 1.5, 1.5]), run([1, 1, 1]));
    expect(change).toMatchObject({ id: 'grpo-512', ratio: 1.5, verdict: 'slower' });
    expect(compare(run([1, 1, 1]), run([1.5, 1.5, 1.5]))[0]).toMatchObject({ verdict: 'faster' });
  });

  test('takes the machine out: a machine half as fast takes twice as long without being slower', () => {
    const [change] = compare(run([2, 2, 2], 0.04), run([1, 1, 1], 0.02));
    expect(change).toMatchObject({ ratio: 1, verdict: 'same' });
    expect(compare(run([1, 1, 1], 0.02), run([1, 1, 1], 0.04))[0]).toMatchObject({ ratio: 2, verdict: 'slower' });
  });

  test('calls what both runs vary by noise, and never less than 5 %', () => {
    expect(compare(run([1.04, 1.04, 1.04]), run([1, 1, 1]))[0]).toMatchObject({ noise: 0.05, verdict: 'same' });
    expect(compare(run([1.06, 1.06, 1.06]), run([1, 1, 1]))[0]).toMatchObject({ verdict: 'slower' });
    // Quartiles 1 ± 0.1 in both runs.
    const restless = [0.8, 0.9, 1, 1.1, 1.2];
    const [change] = compare(run(restless.map(s => s * 1.15)), run(restless));
    expect(change!.noise).toBeCloseTo(0.2);
    expect(change!.verdict).toBe('same');
  });

  test('trusts one or two turns less', () => {
    const [change] = compare(run([1.15]), run([1]));
    expect(change).toMatchObject({ noise: 0.2, verdict: 'same' });
  });

  test('compares memory where both know it', () => {
    const then = resultOf({
      a: { ours: measurement([1], 100), peers: {} },
      b: { ours: measurement([1], null), peers: {} },
    });
    const now = resultOf({
      a: { ours: measurement([1], 150), peers: {} },
      b: { ours: measurement([1], 150), peers: {} },
    });
    expect(compare(now, then).map(({ memory }) => memory)).toEqual([1.5, null]);
  });

  test('leaves out rows that only one run has, or that failed', () => {
    const failed = resultOf({ 'grpo-512': { peers: {}, failure: 'lost' } });
    expect(compare(failed, run([1]))).toEqual([]);
    expect(compare(run([1]), failed)).toEqual([]);
    expect(compare(run([1]), resultOf({}))).toEqual([]);
  });
});

test('tooSlow asks for more than the limit and for more than the noise', () => {
  const changes = compare(run([1.3, 1.3, 1.3]), run([1, 1, 1]));
  expect(tooSlow(changes, 1.2).map(({ id }) => id)).toEqual(['grpo-512']);
  expect(tooSlow(changes, 1.4)).toEqual([]);
  const restless = compare(run([0.9, 1.3, 1.7]), run([0.6, 1, 1.4]));
  expect(restless[0]!.ratio).toBeCloseTo(1.3);
  expect(tooSlow(restless, 1.2)).toEqual([]);
});
