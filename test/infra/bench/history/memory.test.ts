import { at, most, slope } from '../../../../infra/bench/history/memory';

const samples = Array.from({ length: 100 }, (_, k) => ({ step: (k + 1) * 10, bytes: k < 10 ? 5000 : 1000 + 2 * k }));

test('the sample at a share of the steps', () => {
  expect(at(samples, 1000, 1).step).toBe(1000);
  expect(at(samples, 1000, 0.504).step).toBe(500);
  expect(() => at(samples, 1000, 0.005)).toThrow('no sample within the first 0.5 % of 1000 steps');
});

test('the slope leaves out what came before', () => {
  expect(slope(samples, 1000, 0.11)).toBeCloseTo(200);
  expect(slope(samples, 1000, 0)).toBeLessThan(0);
  expect(slope(samples.slice(0, 1), 1000, 0)).toBe(0);
});

test('the peaks of both halves', () => {
  expect(most(samples, 0, 500)).toBe(5000);
  expect(most(samples, 500, 1000)).toBe(1198);
});
