/** Cutting the model for the backward pass: what the cuts are, and that they change no bit. */
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { type DecoderConfig, parseConfig } from '../../../../activities/engine/model/config';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { activationBytes, cutSegments } from '../../../../activities/engine/model/segments';
import { randomStream } from '../../../../activities/engine/random';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { goldenFolder } from '../../../support/golden';
import { between } from '../../../support/graphs';

const config = (layers: number): DecoderConfig =>
  parseConfig('config.json', {
    model_type: 'llama',
    vocab_size: 100,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: layers,
    num_attention_heads: 2,
    max_position_embeddings: 64,
  });

describe('cutSegments', () => {
  test('covers every layer once, in order, in as few segments as fit', () => {
    for (let layers = 1; layers <= 40; layers++) {
      const model = config(layers);
      const one = activationBytes(model, 1000, 1);
      for (let fitting = 1; fitting <= layers + 1; fitting++) {
        const segments = cutSegments(model, 1000, one * fitting);
        expect(segments.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i))).toEqual([
          ...Array(layers).keys(),
        ]);
        expect(segments).toHaveLength(Math.ceil(layers / fitting));
        // One graph serves all but the last.
        expect(new Set(segments.slice(0, -1).map(s => s.count)).size).toBeLessThanOrEqual(1);
      }
    }
  });

  test('without room for a layer, a layer at a time; without a bound, whole', () => {
    expect(cutSegments(config(3), 1000, 1).map(s => s.count)).toEqual([1, 1, 1]);
    expect(cutSegments(config(3), 1000, Number.POSITIVE_INFINITY)).toEqual([{ first: 0, count: 3 }]);
  });
});

test.each(['llama', 'qwen2', 'qwen3'])('%s: gradients are the same to the bit whole and cut', async family => {
  const { config, tensors } = await readModelFolder(goldenFolder(family));
  const random = randomStream('segments');
  const tokens = (length: number): number[] => Array.from({ length }, () => random.below(config.vocabularySize));
  // More than one pass, and more rows than a tile, so that sums go over passes and cuts.
  const groups = Array.from({ length: 3 }, () => ({
    promptIds: tokens(between(random, 20, 60)),
    responses: Array.from({ length: 3 }, () => tokens(between(random, 5, 40))),
  }));
  const rows = groups.flatMap(g => g.responses.flat()).length;
  const perToken = {
    weights: new Float32Array(rows).fill(1 / rows),
    old: Float32Array.from({ length: rows }, () => -5 - random.uniform()),
    advantages: Float32Array.from({ length: rows }, () => random.uniform() - 0.5),
  };
  const bits = async (memory?: number) => {
    const trainer = new Trainer(config, new RotaryTable(config), { threads: 2, ...(memory && { memory }) });
    const fed = { perToken, scalars: { ratio_low: 0.8, ratio_high: 1.2 } };
    const options = { temperature: 0.7, microBatchTokens: 250, checkpoint: async () => {} };
    const { gradients, logprobs } = await trainer.gradient('clipped', tensors, groups, fed, options);
    await trainer.release();
    return [...gradients].map(([name, { data }]) => [name, [...data]]).concat([['logprobs', [...logprobs]]]);
  };
  expect(await bits(1)).toEqual(await bits());
});
