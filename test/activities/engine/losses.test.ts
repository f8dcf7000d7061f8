/** Advantages, weights, shaping, losses and metrics: numbers worked by hand, and the equations written out as loops. */
import { gradients } from '../../../activities/engine/graph/gradients';
import {
  CLIP_RANGES,
  groupAdvantages,
  overlongPenalty,
  policyMetrics,
  sequenceMean,
  TOKEN_LOSSES,
  type TokenTargets,
  tokenTargets,
} from '../../../activities/engine/losses';
import type { LossSettings, ScoredGroup } from '../../../activities/engine/protocol';
import { randomStream } from '../../../activities/engine/random';
import { floatData, floatScalar, floats } from '../../../activities/engine/session';
import { between, evaluate, randomFloats } from '../../support/graphs';

const grpo: LossSettings = {
  algorithm: 'grpo',
  ...CLIP_RANGES.grpo,
  temperature: 1,
  overlong: null,
  tokenMean: 'group',
};
const dapo: LossSettings = { ...grpo, algorithm: 'dapo', ...CLIP_RANGES.dapo };

/** Responses of these lengths and rewards; every token was sampled at log-probability -1. */
function group(...responses: [length: number, reward: number][]): ScoredGroup {
  return {
    promptIds: [1],
    responses: responses.map(([length, reward]) => ({
      ids: new Array<number>(length).fill(2),
      logprobs: new Array<number>(length).fill(-1),
      reward,
    })),
  };
}

function expectClose(got: ArrayLike<number>, want: readonly number[], digits = 6): void {
  expect(got).toHaveLength(want.length);
  want.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, digits);
  });
}

describe('advantages', () => {
  test.each<[number[], number[]]>([
    // Sample deviation of (1, 0, 0, 1): sqrt(4 * 0.25 / 3) = 0.5773503.
    [
      [1, 0, 0, 1],
      [0.866024, -0.866024, -0.866024, 0.866024],
    ],
    // Mean 0.25, deviation 0.5.
    [
      [1, 0, 0, 0],
      [1.499997, -0.499999, -0.499999, -0.499999],
    ],
    [
      [3, 1],
      [Math.SQRT1_2, -Math.SQRT1_2],
    ],
    [
      [1, 1, 1],
      [0, 0, 0],
    ],
    [[7], [0]],
  ])('of rewards %j are %j', (rewards, expected) => {
    expectClose(groupAdvantages(rewards), expected, 5);
  });

  test('do not change when all rewards move together, and sum to 0', () => {
    const rewards = [...randomFloats('rewards', 8)];
    const advantages = groupAdvantages(rewards);
    expectClose(groupAdvantages(rewards.map(r => r + 5)), advantages, 9);
    expect(advantages.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
  });
});

describe('overlong shaping', () => {
  test.each([
    [1, 0],
    [80, 0],
    [81, -0.05],
    [90, -0.5],
    [99, -0.95],
    [100, -1],
    [101, -1],
    [500, -1],
  ])('%d tokens of at most 100 with a cache of 20: %d', (length, expected) => {
    expect(overlongPenalty(length, { maxLength: 100, cache: 20 })).toBeCloseTo(expected, 12);
  });

  test('without a cache it falls at once', () => {
    expect([100, 101].map(length => overlongPenalty(length, { maxLength: 100, cache: 0 }))).toEqual([0, -1]);
  });
});

describe('weights of tokens', () => {
  const groups = [group([2, 1], [4, 0]), group([1, 1], [1, 0], [2, 0])];
  const spread = (weights: number[]): number[] => {
    const lengths = groups.flatMap(g => g.responses.map(r => r.ids.length));
    return lengths.flatMap((length, i) => new Array<number>(length).fill(weights[i]!));
  };

  test.each<[string, LossSettings, number[]]>([
    ['grpo: groups, then responses, then tokens', grpo, [1 / 8, 1 / 16, 1 / 6, 1 / 6, 1 / 12]],
    ['dapo: groups, then tokens', dapo, [1 / 12, 1 / 12, 1 / 8, 1 / 8, 1 / 8]],
    ['dapo over the batch: tokens', { ...dapo, tokenMean: 'batch' }, [0.1, 0.1, 0.1, 0.1, 0.1]],
  ])('%s', (_title, settings, perResponse) => {
    const { weights } = tokenTargets(groups, settings);
    expectClose(weights, spread(perResponse), 7);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  });

  test('of SFT examples: each counts the same, whatever its length', () => {
    expect(sequenceMean([[2], [10]])).toEqual([[1 / 4], [1 / 20]]);
  });
});

describe('targets of tokens', () => {
  test("a response over length changes its group's advantages, its reward and whether the group counts", () => {
    const groups = [group([10, 1], [5, 1]), group([3, 0], [3, 0])];
    const shaped = tokenTargets(groups, { ...dapo, overlong: { maxLength: 10, cache: 4 } });
    // Rewards 1 - 1 and 1; 0 and 0.
    expect(shaped.reward).toBeCloseTo(0.25, 12);
    expect(shaped.effectiveGroups).toBe(1);
    expectClose(
      shaped.advantages.slice(0, 15),
      [...new Array<number>(10).fill(-Math.SQRT1_2), ...new Array<number>(5).fill(Math.SQRT1_2)],
      5,
    );
    expectClose(shaped.advantages.slice(15), [0, 0, 0, 0, 0, 0]);
    const plain = tokenTargets(groups, dapo);
    expect([plain.reward, plain.effectiveGroups]).toEqual([0.5, 0]);
    expectClose(plain.advantages, new Array<number>(21).fill(0));
  });

  test('log-probabilities of the sampler stay with their tokens', () => {
    const groups = [group([2, 1], [1, 0]), group([1, 0])];
    let next = 0;
    for (const response of groups.flatMap(g => g.responses)) response.logprobs = response.ids.map(() => --next);
    expect([...tokenTargets(groups, grpo).sampled]).toEqual([-1, -2, -3, -4]);
  });
});

describe('metrics', () => {
  const one = (ratio: number, advantage: number) =>
    policyMetrics(
      Float32Array.of(-1 + Math.log(ratio)),
      {
        sampled: Float32Array.of(-1),
        advantages: Float32Array.of(advantage),
        weights: Float32Array.of(1),
        reward: 0,
        effectiveGroups: 1,
      },
      dapo,
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

/** GRPO (eq. 3) and DAPO as their papers write them, response by response. */
function reference(groups: readonly ScoredGroup[], logprobs: readonly number[], settings: LossSettings) {
  const totals = { loss: 0, clipped: 0, kl: 0, difference: 0, tokens: 0, largest: 0 };
  const batchTokens = logprobs.length;
  for (const { responses } of groups) {
    const rewards = responses.map(({ ids, reward }) => {
      if (!settings.overlong) return reward;
      const { maxLength, cache } = settings.overlong;
      if (ids.length > maxLength) return reward - 1;
      return reward + Math.min(0, (maxLength - cache - ids.length) / cache);
    });
    const mean = rewards.reduce((a, b) => a + b) / rewards.length;
    const deviation = Math.sqrt(rewards.reduce((a, r) => a + (r - mean) ** 2, 0) / (rewards.length - 1));
    const groupTokens = responses.reduce((n, r) => n + r.ids.length, 0);
    for (const [i, { ids, logprobs: sampled }] of responses.entries()) {
      const advantage = (rewards[i]! - mean) / (deviation + 1e-6);
      const share = {
        grpo: 1 / groups.length / responses.length / ids.length,
        dapo: settings.tokenMean === 'group' ? 1 / groups.length / groupTokens : 1 / batchTokens,
      }[settings.algorithm];
      for (let t = 0; t < ids.length; t++) {
        const d = logprobs[totals.tokens]! - sampled[t]!;
        const free = Math.exp(d) * advantage;
        const ratio = Math.exp(d);
        let bounded = ratio;
        if (ratio > 1 + settings.clipHigh) bounded = 1 + settings.clipHigh;
        if (ratio < 1 - settings.clipLow) bounded = 1 - settings.clipLow;
        const clipped = bounded * advantage < free;
        totals.loss -= share * (clipped ? bounded * advantage : free);
        totals.clipped += clipped ? 1 : 0;
        totals.kl += Math.exp(d) - 1 - d;
        totals.difference += Math.abs(d);
        totals.largest = Math.max(totals.largest, Math.abs(d));
        totals.tokens += 1;
      }
    }
  }
  return totals;
}

const overlong = { maxLength: 9, cache: 4 };

describe.each<[string, LossSettings]>([
  ['grpo', grpo],
  ['grpo with overlong shaping', { ...grpo, overlong }],
  ['dapo by group', dapo],
  ['dapo by group with overlong shaping', { ...dapo, overlong }],
  ['dapo by batch', { ...dapo, tokenMean: 'batch' }],
])('%s on random groups', (title, settings) => {
  const random = randomStream('groups', title);
  const groups: ScoredGroup[] = Array.from({ length: 5 }, (_, i) => ({
    promptIds: [1],
    responses: Array.from({ length: 4 }, () => {
      const length = between(random, 1, 12);
      return {
        ids: new Array<number>(length).fill(2),
        logprobs: Array.from({ length }, () => Math.fround(-3 * random.uniform())),
        reward: i === 0 ? 1 : random.below(2),
      };
    }),
  }));
  const targets = tokenTargets(groups, settings);
  const logprobs = targets.sampled.map(x => x + 0.8 * (random.uniform() - 0.5));
  const expected = reference(groups, [...logprobs], settings);

  test('loss and metrics are those of the equations', () => {
    const metrics = policyMetrics(logprobs, targets, settings);
    expect(metrics.loss).toBeCloseTo(expected.loss, 6);
    expect(metrics.clipFraction).toBeCloseTo(expected.clipped / expected.tokens, 12);
    expect(metrics.clipFraction).toBeGreaterThan(0);
    expect(metrics.kl).toBeCloseTo(expected.kl / expected.tokens, 6);
    expect(metrics.logprobDifferenceMean).toBeCloseTo(expected.difference / expected.tokens, 6);
    expect(metrics.logprobDifferenceMax).toBeCloseTo(expected.largest, 6);
  });

  test('the graph minimises that loss, and clipped tokens have no gradient', async () => {
    const [{ loss, gradient }, wanted] = [
      await onGraph(logprobs, targets, settings),
      slopes(logprobs, targets, settings),
    ];
    expect(loss).toBeCloseTo(expected.loss, 5);
    expectClose(gradient, wanted, 6);
    expect(wanted.filter(x => x === 0).length).toBeGreaterThanOrEqual(expected.clipped);
  });
});

/** Loss and gradient by the log-probabilities, of the graph. */
async function onGraph(logprobs: Float32Array, targets: TokenTargets, settings: LossSettings) {
  const { sampled, advantages, weights } = targets;
  const rows = { logprobs, sampled, advantages, weights };
  const results = await evaluate(
    g => {
      const input = (name: keyof typeof rows) => g.input(name, 'float32', ['rows']);
      const x = input('logprobs');
      const fed = new Map([
        ...(['sampled', 'advantages', 'weights'] as const).map(name => [name, input(name)] as const),
        ...TOKEN_LOSSES.clipped.scalars.map(name => [name, g.input(name, 'float32', [])] as const),
      ]);
      const loss = TOKEN_LOSSES.clipped.build(g, x, name => fed.get(name)!);
      return { loss, gradient: gradients(g, loss, [x])[0]! };
    },
    {
      ...Object.fromEntries(Object.entries(rows).map(([name, data]) => [name, floats(data, [data.length])])),
      ratio_low: floatScalar(1 - settings.clipLow),
      ratio_high: floatScalar(1 + settings.clipHigh),
    },
  );
  return { loss: floatData(results, 'loss')[0]!, gradient: floatData(results, 'gradient') };
}

/** -weight ratio A where the free term is taken, 0 where the clipped one is. */
function slopes(logprobs: Float32Array, { sampled, advantages, weights }: TokenTargets, settings: LossSettings) {
  return Array.from(logprobs, (logprob, t) => {
    const ratio = Math.exp(logprob - sampled[t]!);
    const advantage = advantages[t]!;
    const clipped = advantage > 0 ? ratio > 1 + settings.clipHigh : ratio < 1 - settings.clipLow;
    return clipped ? 0 : -weights[t]! * ratio * advantage;
  });
}

test('the likelihood loss is the weighted sum of negative log-probabilities', async () => {
  const results = await evaluate(
    g => {
      const [x, weights] = [g.input('x', 'float32', ['rows']), g.input('weights', 'float32', ['rows'])];
      const loss = TOKEN_LOSSES.likelihood.build(g, x, () => weights);
      return { loss, gradient: gradients(g, loss, [x])[0]! };
    },
    { x: floats(Float32Array.of(-1, -2, -4), [3]), weights: floats(Float32Array.of(0.5, 0.25, 0.25), [3]) },
  );
  expect(floatData(results, 'loss')[0]).toBeCloseTo(2, 6);
  expectClose(floatData(results, 'gradient'), [-0.5, -0.25, -0.25], 7);
});
