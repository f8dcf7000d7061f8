/** Log-probabilities among the tokens that sampling keeps, against every token of a small vocabulary counted one by one. */
import { gradients } from '../../../../activities/engine/autodiff/gradients';
import { tokenLogprobs } from '../../../../activities/engine/autodiff/logprobs';
import { truncationFeeds, truncationInputs } from '../../../../activities/engine/autodiff/truncation';
import { Graph } from '../../../../activities/engine/graph/graph';
import { floatData, floatScalar, floats, integers } from '../../../../activities/engine/graph/session';
import { randomStream } from '../../../../activities/engine/random';
import { sample, samplingMode } from '../../../../activities/engine/sampling/sampling';
import { evaluate, randomFloats } from '../../../support/graphs';

interface Limits {
  topP: number;
  topK: number;
}

/** The distribution over what is kept, in 64 bits: 0 for all others. A token that is not kept widens it until it is. */
function enumerated(logits: readonly number[], { topP, topK }: Limits, token?: number): number[] {
  const top = Math.max(...logits);
  const weights = logits.map(x => Math.exp(x - top));
  const total = weights.reduce((a, b) => a + b);
  const all = weights.map(weight => weight / total);
  const order = all.map((_, k) => k).sort((a, b) => all[b]! - all[a]!);
  let [mass, count] = [0, 0];
  while (count < order.length && mass < topP && (topK === 0 || count < topK)) mass += all[order[count++]!]!;
  if (token !== undefined) count = Math.max(count, order.indexOf(token) + 1);
  const kept = new Set(order.slice(0, count));
  const within = all.reduce((sum, p, k) => sum + (kept.has(k) ? p : 0), 0);
  return all.map((p, k) => (kept.has(k) ? p / within : 0));
}

const LIMITS: Limits[] = [
  { topP: 0.95, topK: 0 },
  { topP: 0.6, topK: 0 },
  { topP: 1, topK: 3 },
  { topP: 0.9, topK: 2 },
  { topP: 0.01, topK: 0 },
];
const [ROWS, HIDDEN, VOCABULARY] = [14, 3, 7];
const TEMPERATURE = 0.7;

/** Every token of the vocabulary is a target of two rows. */
const targets = Array.from({ length: ROWS }, (_, row) => row % VOCABULARY);
const hidden = randomFloats('nucleus hidden', ROWS * HIDDEN, -2, 2);
const head = randomFloats('nucleus head', VOCABULARY * HIDDEN, -2, 2);
const logitsOf = (h: Float32Array, w: Float32Array, row: number): number[] =>
  Array.from({ length: VOCABULARY }, (_, v) =>
    Array.from({ length: HIDDEN }, (_, i) => (h[row * HIDDEN + i]! * w[v * HIDDEN + i]!) / TEMPERATURE).reduce(
      (a, b) => a + b,
    ),
  );

describe.each(LIMITS)('the trainer: %j', limits => {
  const run = () =>
    evaluate(
      g => {
        const h = g.input('hidden', 'float32', ['rows', HIDDEN]);
        const w = g.input('head', 'float32', [VOCABULARY, HIDDEN]);
        const scalar = (name: string) => g.input(name, 'float32', []);
        const t = g.input('targets', 'int64', ['rows']);
        const truncation = truncationInputs(g);
        const { logprobs, entropies } = tokenLogprobs(g, h, w, t, scalar('inverse_temperature'), truncation);
        const [dh, dw] = gradients(g, g.sum(logprobs, [0], false), [h, w]);
        return { logprobs, entropies, dh: dh!, dw: dw! };
      },
      {
        hidden: floats(hidden, [ROWS, HIDDEN]),
        head: floats(head, [VOCABULARY, HIDDEN]),
        targets: integers(targets, [ROWS]),
        inverse_temperature: floatScalar(1 / TEMPERATURE),
        ...truncationFeeds(limits, VOCABULARY),
      },
    );
  const distribution = (row: number, h = hidden, w = head): number[] =>
    enumerated(logitsOf(h, w, row), limits, targets[row]);

  test('log-probabilities and entropies', async () => {
    const results = await run();
    for (let row = 0; row < ROWS; row++) {
      const p = distribution(row);
      expect(floatData(results, 'logprobs')[row]).toBeCloseTo(Math.log(p[targets[row]!]!), 5);
      const entropy = p.reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0);
      expect(floatData(results, 'entropies')[row]).toBeCloseTo(entropy, 5);
    }
  });

  test('gradients: those of a softmax over what is kept, which stays as it is', async () => {
    const results = await run();
    const dh = new Float64Array(ROWS * HIDDEN);
    const dw = new Float64Array(VOCABULARY * HIDDEN);
    for (let row = 0; row < ROWS; row++) {
      distribution(row).forEach((p, v) => {
        const slope = ((v === targets[row] ? 1 : 0) - p) / TEMPERATURE;
        for (let i = 0; i < HIDDEN; i++) {
          dh[row * HIDDEN + i]! += slope * head[v * HIDDEN + i]!;
          dw[v * HIDDEN + i]! += slope * hidden[row * HIDDEN + i]!;
        }
      });
    }
    for (const [name, expected] of [
      ['dh', dh],
      ['dw', dw],
    ] as const)
      for (const [k, x] of floatData(results, name).entries()) expect(x).toBeCloseTo(expected[k]!, 4);
  });
});

test.each(LIMITS)('the sampler says of each token what its share is: %j', async limits => {
  const DRAWS = 4000;
  const random = randomStream('nucleus', 'uniform');
  const uniforms = Float32Array.from({ length: DRAWS }, () => random.uniform());
  const row = logitsOf(hidden, head, 0);
  const settings = { temperature: 1, ...limits, maxNewTokens: 1, stopIds: [], truncatedLogprobs: true as const };
  const results = await evaluate(
    g => {
      const scalar = (name: string) => g.input(name, 'float32', []);
      return sample(g, samplingMode(settings), g.input('logits', 'float32', [DRAWS, VOCABULARY]), {
        ...truncationInputs(g),
        inverseTemperature: scalar('inverse_temperature'),
        uniform: g.input('uniform', 'float32', [DRAWS]),
      });
    },
    {
      logits: floats(
        Float32Array.from({ length: DRAWS * VOCABULARY }, (_, k) => row[k % VOCABULARY]!),
        [DRAWS, VOCABULARY],
      ),
      inverse_temperature: floatScalar(1),
      ...truncationFeeds(limits, VOCABULARY),
      uniform: floats(uniforms, [DRAWS]),
    },
  );
  const expected = enumerated(row, limits);
  const tokens = [...(results.tokens!.data as BigInt64Array)].map(Number);
  tokens.forEach((token, k) => {
    expect(floatData(results, 'logprobs')[k]).toBeCloseTo(Math.log(expected[token]!), 5);
  });
  expected.forEach((share, token) => {
    const found = tokens.filter(one => one === token).length / DRAWS;
    // Five standard deviations.
    expect(Math.abs(found - share)).toBeLessThanOrEqual(5 * Math.sqrt((share * (1 - share)) / DRAWS));
  });
});

test('the sampler sorts once for both: which token it is, and what its share is', () => {
  const g = new Graph('sorted once');
  const scalar = (name: string) => g.input(name, 'float32', []);
  const { tokens, logprobs } = sample(g, 'within nucleus', g.input('logits', 'float32', [ROWS, VOCABULARY]), {
    ...truncationInputs(g),
    inverseTemperature: scalar('inverse_temperature'),
    uniform: g.input('uniform', 'float32', [ROWS]),
  });
  g.output('tokens', tokens);
  g.output('logprobs', logprobs);
  expect(g.message().node.filter(({ op_type }) => op_type === 'TopK')).toHaveLength(1);
});

test.each([300, 5000, 20_000, 70_000])('of %d tokens, where the nucleus is most of them, many or few', async size => {
  const limits = { topP: 0.95, topK: 0 };
  const rows = [0.01, 5, 60].map(steepness => Array.from({ length: size }, (_, k) => (-steepness * k) / size));
  const found = await evaluate(
    g => {
      const scalar = (name: string) => g.input(name, 'float32', []);
      const truncation = truncationInputs(g);
      const w = g.input('head', 'float32', [size, 3]);
      const t = g.input('targets', 'int64', ['rows']);
      const h = g.input('hidden', 'float32', ['rows', 3]);
      return tokenLogprobs(g, h, w, t, scalar('inverse_temperature'), truncation);
    },
    {
      hidden: floats(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), [3, 3]),
      head: floats(
        Float32Array.from({ length: 3 * size }, (_, k) => rows[k % 3]![Math.floor(k / 3)]!),
        [size, 3],
      ),
      targets: integers([5, 5, 5], [3]),
      inverse_temperature: floatScalar(1),
      ...truncationFeeds(limits, size),
    },
  );
  rows.forEach((row, k) => {
    expect(floatData(found, 'logprobs')[k]).toBeCloseTo(Math.log(enumerated(row, limits, 5)[5]!), 3);
  });
});
