/** The losses on graphs: value and gradient against each algorithm's equations, written out response by response. */
import { gradients } from '../../../../activities/engine/autodiff/gradients';
import { floatData, floatScalar, floats } from '../../../../activities/engine/graph/session';
import {
  ALGORITHM_NAMES,
  type Algorithm,
  type LossSettings,
  type ScoredGroup,
} from '../../../../activities/engine/protocol/index';
import { randomStream } from '../../../../activities/engine/random';
import { policySlopes } from '../../../../activities/engine/training/loss-slopes';
import { TOKEN_LOSSES } from '../../../../activities/engine/training/losses';
import { policyMetrics } from '../../../../activities/engine/training/policy-metrics';
import { policyObjective, type TokenTargets, tokenTargets } from '../../../../activities/engine/training/token-targets';
import { expectClose } from '../../../support/close';
import { evaluate } from '../../../support/graphs';
import { lossOf, randomGroups } from '../../../support/rollouts';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((a, r) => a + (r - mean(values)) ** 2, 0) / (values.length - 1));
const normalised = (r: number, all: readonly number[]): number => (r - mean(all)) / (deviation(all) + 1e-6);

/** By algorithm: a response's advantage, and its share of each of its tokens in the loss of one group. */
const EQUATIONS: Record<
  Algorithm,
  {
    advantage(reward: number, rewards: readonly number[]): number;
    share(length: number, lengths: readonly number[], settings: LossSettings): number;
  }
> = {
  grpo: { advantage: normalised, share: (length, { length: n }) => 1 / n / length },
  gspo: { advantage: normalised, share: (length, { length: n }) => 1 / n / length },
  dapo: { advantage: normalised, share: (_, lengths) => 1 / lengths.reduce((a, b) => a + b) },
  cispo: { advantage: normalised, share: (_, lengths) => 1 / lengths.reduce((a, b) => a + b) },
  'dr-grpo': {
    advantage: (r, all) => r - mean(all),
    share: (_, { length: n }, { maxResponseTokens }) => 1 / n / maxResponseTokens!,
  },
  rloo: {
    advantage: (r, all) => ((r - mean(all)) * all.length) / (all.length - 1),
    share: (_, { length: n }) => 1 / n,
  },
};

interface Expected {
  loss: number;
  clipFraction: number;
  /** Of the loss by each log-probability. */
  slopes: number[];
}

function expected(
  groups: readonly ScoredGroup[],
  logprobs: Float32Array,
  reference: Float32Array,
  settings: LossSettings,
): Expected {
  const { advantage: advantageOf, share: shareOf } = EQUATIONS[settings.algorithm];
  const [low, high] = [1 - settings.clipLow, 1 + settings.clipHigh];
  const result: Expected = { loss: 0, clipFraction: 0, slopes: [] };
  const batchTokens = logprobs.length;
  let t = 0;
  for (const { responses } of groups) {
    const lengths = responses.map(r => r.ids.length);
    const rewards = responses.map(({ ids, reward }) => {
      if (!settings.overlong) return reward;
      const { maxLength, cache } = settings.overlong;
      if (ids.length > maxLength) return reward - 1;
      return reward + Math.min(0, (maxLength - cache - ids.length) / cache);
    });
    for (const [i, { ids, logprobs: sampled, proximal }] of responses.entries()) {
      const old = settings.importanceCap ? proximal! : sampled;
      const differences = ids.map((_, k) => logprobs[t + k]! - old[k]!);
      const share =
        settings.tokenMean === 'batch' ? 1 / batchTokens : shareOf(ids.length, lengths, settings) / groups.length;
      for (let k = 0; k < ids.length; k++, t++) {
        const logRatio = settings.algorithm === 'gspo' ? mean(differences) : differences[k]!;
        const ratio = Math.exp(logRatio);
        const truncated = settings.importanceCap
          ? Math.min(settings.importanceCap, Math.exp(proximal![k]! - sampled[k]!))
          : 1;
        const advantage = advantageOf(rewards[i]!, rewards) * truncated;
        const bounded = Math.max(low, Math.min(high, ratio));
        let [term, slope, clipped] = [ratio * advantage, ratio * advantage, false];
        if (settings.algorithm === 'cispo')
          [term, slope, clipped] = [bounded * advantage * logprobs[t]!, bounded * advantage, bounded !== ratio];
        else if (bounded * advantage < ratio * advantage) [term, slope, clipped] = [bounded * advantage, 0, true];
        if (settings.kl) {
          const quotient = Math.exp(reference[t]! - logprobs[t]!);
          term -= settings.kl.coefficient * (quotient - Math.log(quotient) - 1);
          slope -= settings.kl.coefficient * (1 - quotient);
        }
        result.loss -= share * term;
        result.clipFraction += clipped ? 1 / batchTokens : 0;
        result.slopes.push(-share * slope);
      }
    }
  }
  return result;
}

const TERMS: [string, Partial<LossSettings>][] = [
  ['', {}],
  [' near a reference', { kl: { coefficient: 0.4 } }],
  [' with truncated importance', { importanceCap: 1.15 }],
  [' with both', { kl: { coefficient: 0.4 }, importanceCap: 1.15 }],
];
/** Narrower where the default would let all through. */
const RANGES: Partial<Record<Algorithm, Partial<LossSettings>>> = {
  gspo: { clipLow: 0.05, clipHigh: 0.05 },
  cispo: { clipHigh: 0.2 },
};
const overlong = { maxLength: 9, cache: 4 };

describe.each<[string, LossSettings]>([
  ...ALGORITHM_NAMES.flatMap(name =>
    TERMS.map(([title, terms]): [string, LossSettings] => [
      name + title,
      lossOf(name, { ...RANGES[name], ...(name === 'dr-grpo' && { maxResponseTokens: 12 }), ...terms }),
    ]),
  ),
  ['grpo with overlong shaping', lossOf('grpo', { overlong })],
  ['dapo with overlong shaping', lossOf('dapo', { overlong })],
  ['dapo by batch', lossOf('dapo', { tokenMean: 'batch' })],
])('%s on random groups', (title, settings) => {
  const groups = randomGroups(title).map(({ responses, ...rest }) => ({
    ...rest,
    responses: responses.map(({ proximal, ...r }) => (settings.importanceCap ? { ...r, proximal: proximal! } : r)),
  }));
  const random = randomStream('trainer', title);
  const sampled = groups.flatMap(group => group.responses.flatMap(r => r.logprobs));
  const logprobs = Float32Array.from(sampled, x => x + 0.8 * (random.uniform() - 0.5));
  const reference = logprobs.map(x => x + random.uniform() - 0.5);
  const targets = tokenTargets(groups, settings, { current: logprobs, reference: settings.kl ? reference : null });
  const wanted = expected(groups, logprobs, reference, settings);

  test('loss and share of clipped tokens are those of the equations', () => {
    const metrics = policyMetrics(logprobs, targets, settings);
    expect(metrics.loss).toBeCloseTo(wanted.loss, 5);
    expect(metrics.clipFraction).toBeCloseTo(wanted.clipFraction, 9);
    expect(metrics.clipFraction).toBeGreaterThan(0);
    expect(metrics.clipFraction).toBeLessThan(1);
  });

  test('the graph minimises that loss', async () => {
    const { loss, gradient } = await onGraph(logprobs, targets, settings);
    expect(loss).toBeCloseTo(wanted.loss, 5);
    expectClose(gradient, wanted.slopes, 5);
  });

  test('its slopes in numbers are those of the graph', async () => {
    const slopes = policySlopes(logprobs, targets, settings);
    expectClose(slopes, wanted.slopes, 6);
    expectClose((await onGraph(logprobs, targets, settings)).gradient, [...slopes], 6);
  });
});

/** Loss and gradient by the log-probabilities, of the graph. */
async function onGraph(logprobs: Float32Array, targets: TokenTargets, settings: LossSettings) {
  const { objective, fed } = policyObjective(targets, settings);
  const rows = { logprobs, ...fed.perToken };
  const results = await evaluate(
    g => {
      const x = g.input('logprobs', 'float32', ['rows']);
      const loss = TOKEN_LOSSES[objective];
      const inputs = new Map([
        ...loss.perToken.map(name => [name, g.input(name, 'float32', ['rows'])] as const),
        ...loss.scalars.map(name => [name, g.input(name, 'float32', [])] as const),
      ]);
      const value = loss.build(g, x, name => inputs.get(name)!);
      return { loss: value, gradient: gradients(g, value, [x])[0]! };
    },
    {
      ...Object.fromEntries(Object.entries(rows).map(([name, data]) => [name, floats(data, [data.length])])),
      ...Object.fromEntries(Object.entries(fed.scalars).map(([name, value]) => [name, floatScalar(value)])),
    },
  );
  return { loss: floatData(results, 'loss')[0]!, gradient: floatData(results, 'gradient') };
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
