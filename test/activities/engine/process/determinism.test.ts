/**
 * Equal inputs give equal bits: whatever the number of threads, again in a session, and in a new one.
 *
 * onnxruntime cuts an operator's work into a share a thread and computes the ends of a share another way than its middle,
 * so lengths here are odd: shares then end in another place for every number of threads.
 */
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { type DecoderConfig, expectedTensors } from '../../../../activities/engine/model/config';
import type { PromptGroup } from '../../../../activities/engine/model/packing';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { randomStream } from '../../../../activities/engine/random';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { FAMILIES, goldenFolder } from '../../../support/golden';
import { elements, randomFloats } from '../../../support/graphs';

const VOCABULARY = 323;
const random = randomStream('determinism');
const ids = (length: number): number[] => Array.from({ length }, () => random.below(VOCABULARY));

// Few ids over many rows, so that each is met again and again; lengths that share with nothing.
const groups: PromptGroup[] = [
  { promptIds: ids(301), responses: [401, 257, 333, 512, 1].map(ids) },
  { promptIds: ids(97), responses: [389, 211, 499, 97, 303].map(ids) },
];
const count = groups.flatMap(g => g.responses).reduce((sum, r) => sum + r.length, 0);

const fed = {
  perToken: {
    weights: randomFloats('weights', count, 0, 2 / count),
    // About the log-probability of a token among 323, so that some ratios are clipped and some are not.
    old: randomFloats('sampled', count, -6.8, -4.8),
    advantages: randomFloats('advantages', count, -1.5, 1.5),
  },
  scalars: { ratio_low: 0.8, ratio_high: 1.28 },
};

/** A result as text: equal texts are equal bits. */
const bits = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

test('the batch is a large one', () => {
  expect(count).toBeGreaterThanOrEqual(3000);
});

function randomWeights(config: DecoderConfig): Tensors {
  const entries = [...expectedTensors(config)].map(
    ([name, shape]) => [name, { shape, data: randomFloats(name, elements(shape), -0.4, 0.4) }] as const,
  );
  return new Map(entries);
}

async function step(trainer: Trainer, weights: Tensors, microBatchTokens: number): Promise<Record<string, string>> {
  const { gradients, logprobs, entropies } = await trainer.gradient('clipped', weights, groups, fed, {
    temperature: 0.7,
    microBatchTokens,
    checkpoint: async () => {},
  });
  for (const [name, { data }] of gradients) {
    const size = data.reduce((sum, x) => sum + Math.abs(x), 0);
    expect([name, Number.isFinite(size), size > 0]).toEqual([name, true, true]);
  }
  const tensors = [...gradients].map(([name, { data }]) => [`gradient of ${name}`, bits(data)]);
  return { logprobs: bits(logprobs), entropies: bits(entropies), ...Object.fromEntries(tensors) };
}

/** Names of the results whose bits differ. */
const differing = (a: Record<string, string>, b: Record<string, string>): string[] =>
  Object.keys(a).filter(name => a[name] !== b[name]);

test.each([
  ...FAMILIES.map(family => [family, 'in one pass', 4096] as const),
  ['qwen2', 'in several passes', 1500] as const,
])('one training step of %s %s', async (family, _title, microBatchTokens) => {
  const config = { ...(await readModelFolder(goldenFolder(family))).config, vocabularySize: VOCABULARY };
  const tensors = randomWeights(config);
  const session = (threads: number): Trainer => new Trainer(config, new RotaryTable(config), { threads });
  const trainers = [session(2), session(1), session(2), session(3)] as const;
  const first = await step(trainers[0], tensors, microBatchTokens);
  expect(Object.keys(first)).toHaveLength(tensors.size + 2);
  const others = {
    'the same session again': trainers[0],
    'one thread': trainers[1],
    'a new session': trainers[2],
    'three threads': trainers[3],
  };
  for (const [name, trainer] of Object.entries(others))
    expect({ [name]: differing(first, await step(trainer, tensors, microBatchTokens)) }).toEqual({ [name]: [] });
  for (const trainer of trainers) await trainer.release();
});
