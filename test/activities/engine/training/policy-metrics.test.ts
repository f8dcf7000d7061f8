/** What an update reports: numbers worked by hand. */
import { policyMetrics } from '../../../../activities/engine/training/policy-metrics';
import { lossOf } from '../../../support/rollouts';

describe('metrics', () => {
  const one = (ratio: number, advantage: number) =>
    policyMetrics(
      Float32Array.of(-1 + Math.log(ratio)),
      {
        sampled: Float32Array.of(-1),
        old: Float32Array.of(-1),
        reference: null,
        advantages: Float32Array.of(advantage),
        weights: Float32Array.of(1),
        reward: 0,
        effectiveGroups: 1,
      },
      lossOf('dapo'),
    );

  test.each([
    // ratio, advantage, loss, whether the clipped term is taken: within [0.8, 1.28] never.
    [1, 1, -1, 0],
    [1.2, 1, -1.2, 0],
    [1.5, 1, -1.28, 1],
    [1.5, -1, 1.5, 0],
    [0.5, 1, -0.5, 0],
    [0.5, -1, 0.8, 1],
    [0.9, -2, 1.8, 0],
    [1.5, 0, 0, 0],
  ])('ratio %d, advantage %d: loss %d, clipped %d', (ratio, advantage, loss, clipped) => {
    const metrics = one(ratio, advantage);
    expect(metrics.loss).toBeCloseTo(loss, 6);
    expect(metrics.clipFraction).toBe(clipped);
  });

  test('the divergence and the differences, by hand', () => {
    // d = ln 1.5: 1.5 - 1 - 0.4054651.
    const metrics = one(1.5, 1);
    expect(metrics.kl).toBeCloseTo(0.0945349, 6);
    expect(metrics.logprobDifferenceMax).toBeCloseTo(0.4054651, 6);
    expect(metrics.logprobDifferenceMean).toBeCloseTo(0.4054651, 6);
    expect(one(1, 1)).toEqual({
      loss: -1,
      clipFraction: 0,
      kl: 0,
      logprobDifferenceMax: 0,
      logprobDifferenceMean: 0,
    });
  });
});

test('near a reference: the divergence from it, and its share of the loss', () => {
  const targets = {
    ...{ sampled: Float32Array.of(-1), old: Float32Array.of(-1), advantages: Float32Array.of(0) },
    ...{ weights: Float32Array.of(0.5), reference: Float32Array.of(-1 + Math.log(1.5)), reward: 0, effectiveGroups: 0 },
  };
  const metrics = policyMetrics(Float32Array.of(-1), targets, lossOf('grpo', { kl: { coefficient: 2 } }));
  // 1.5 - ln 1.5 - 1 = 0.0945349, once.
  expect(metrics.referenceKl).toBeCloseTo(0.0945349, 6);
  expect(metrics.loss).toBeCloseTo(0.0945349, 6);
  expect(metrics.kl).toBe(0);
});
