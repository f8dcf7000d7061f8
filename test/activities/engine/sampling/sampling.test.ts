/** Truncated sampling against a plain reading of its definition, where the nucleus is small, middling and the whole vocabulary. */
import { floatData, floatScalar, floats } from '../../../../activities/engine/graph/session';
import { permutation, randomStream } from '../../../../activities/engine/random';
import { sample, samplingMode } from '../../../../activities/engine/sampling/sampling';
import { evaluate } from '../../../support/graphs';

const VOCABULARY = 6000;
const ROWS = 24;

interface Limits {
  topP: number;
  topK: number;
}

/** Logits that fall evenly by `steepness` over the vocabulary, in an order of their own: no two tokens are equally likely. */
function logits(row: number, steepness: number): Float32Array {
  const ranks = permutation(VOCABULARY, randomStream('logits', row));
  return Float32Array.from(ranks, rank => (-steepness * rank) / VOCABULARY);
}

/** The token that inverse-CDF sampling chooses, in 64 bits; and whether the draw is so close to a border that 32 bits may differ. */
function chosen(row: Float32Array, uniform: number, { topP, topK }: Limits): { token: number; close: boolean } {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
  const order = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b);
  const kept: { token: number; upTo: number }[] = [];
  let mass = 0;
  for (const token of order.slice(0, topK || VOCABULARY)) {
    if (mass >= topP) break;
    mass += Math.exp(row[token]!) / total;
    kept.push({ token, upTo: mass });
  }
  const at = kept.findIndex(({ upTo }) => upTo > uniform * mass);
  const border = (i: number): number => Math.abs((kept[i]?.upTo ?? Number.POSITIVE_INFINITY) - uniform * mass);
  return { token: kept[at]!.token, close: Math.min(border(at), border(at - 1)) < 3e-5 };
}

// Steepness 60 keeps a few dozen tokens at 0.95, 8 some two thousand, 0.1 nearly all.
test.each([
  { steepness: [60], topP: 0.95, topK: 0 },
  { steepness: [8], topP: 0.95, topK: 0 },
  { steepness: [0.1], topP: 0.95, topK: 0 },
  { steepness: [60, 8, 0.1], topP: 0.95, topK: 0 },
  { steepness: [0.1], topP: 1, topK: 50 },
  { steepness: [8], topP: 0.5, topK: 1000 },
])('tokens are those of the definition: %j', async ({ steepness, ...limits }) => {
  const rows = Array.from({ length: ROWS }, (_, row) => logits(row, steepness[row % steepness.length]!));
  const random = randomStream('uniform');
  const uniforms = Float32Array.from({ length: ROWS }, () => random.uniform());
  const results = await evaluate(
    g => {
      const scalar = (name: string) => g.input(name, 'float32', []);
      const mode = samplingMode({ temperature: 1, ...limits, maxNewTokens: 1, stopIds: [] });
      const { tokens, logprobs } = sample(g, mode, g.input('logits', 'float32', [ROWS, VOCABULARY]), {
        inverseTemperature: scalar('inverse_temperature'),
        topP: scalar('top_p'),
        topK: scalar('top_k'),
        uniform: g.input('uniform', 'float32', [ROWS]),
      });
      return { tokens, logprobs };
    },
    {
      logits: floats(Float32Array.from(rows.flatMap(row => [...row])), [ROWS, VOCABULARY]),
      inverse_temperature: floatScalar(1),
      top_p: floatScalar(limits.topP),
      top_k: floatScalar(limits.topK || VOCABULARY),
      uniform: floats(uniforms, [ROWS]),
    },
  );
  const tokens = [...(results.tokens!.data as BigInt64Array)].map(Number);
  const expected = rows.map((row, i) => chosen(row, uniforms[i]!, limits));
  const clear = expected.map((_, i) => i).filter(i => !expected[i]!.close);
  expect(clear.length).toBeGreaterThan(ROWS / 3);
  expect(clear.map(i => tokens[i])).toEqual(clear.map(i => expected[i]!.token));
  // Log-probabilities are of the whole distribution.
  rows.forEach((row, i) => {
    const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
    expect(floatData(results, 'logprobs')[i]).toBeCloseTo(row[tokens[i]!]! - Math.log(total), 4);
  });
});
