/** Examples of one prompt trained together: the same loss, gradients and weights as one by one. */
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import type { PromptGroup } from '../../../../activities/engine/model/packing';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { PolicyEngine } from '../../../../activities/engine/process/policy-engine';
import { DEFAULT_OPTIMIZER, type SftExample } from '../../../../activities/engine/protocol/index';
import { randomStream } from '../../../../activities/engine/random';
import { sftBatch } from '../../../../activities/engine/training/sft-batch';
import { sequenceMean } from '../../../../activities/engine/training/token-weights';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { goldenFolder, norm } from '../../../support/golden';
import { between } from '../../../support/graphs';

const random = randomStream('examples');
const ids = (length: number): number[] => Array.from({ length }, () => between(random, 2, 300));
const [p, q] = [ids(40), ids(23)];
const examples: SftExample[] = [p, q, p, ids(9), q, p].map(promptIds => ({
  promptIds,
  responseIds: ids(between(random, 3, 20)),
}));

test('prompts come in their order, each once, with the responses in theirs', () => {
  const { groups, weights } = sftBatch(examples);
  const responses = [0, 2, 5, 1, 4, 3].map(i => examples[i]!.responseIds);
  expect(groups.map(group => group.promptIds)).toEqual([p, q, examples[3]!.promptIds]);
  expect(groups.flatMap(group => group.responses)).toEqual(responses);
  expect([...weights]).toEqual(responses.flatMap(r => r.map(() => Math.fround(1 / (6 * r.length)))));
});

test('prompts that only look alike stay apart', () => {
  const alike = [
    [1, 23],
    [12, 3],
    [1, 2, 3],
  ].map(promptIds => ({ promptIds, responseIds: [4] }));
  expect(sftBatch(alike).groups).toHaveLength(3);
});

test('gradients are those of the examples one by one, within 1e-5', async () => {
  const folder = await readModelFolder(goldenFolder('qwen2'));
  const trainer = new Trainer(folder.config, new RotaryTable(folder.config), { threads: 2 });
  const gradient = async (groups: readonly PromptGroup[], weights: Float32Array) => {
    const options = { temperature: 1, microBatchTokens: 4096, checkpoint: async () => {} };
    const fed = { perToken: { weights }, scalars: {} };
    return (await trainer.gradient('likelihood', folder.tensors, groups, fed, options)).gradients;
  };
  const shared = sftBatch(examples);
  const together = await gradient(shared.groups, shared.weights);
  const apart = await gradient(
    examples.map(e => ({ promptIds: e.promptIds, responses: [e.responseIds] })),
    Float32Array.from(
      sequenceMean(examples.map(e => [e.responseIds.length])).flatMap(([weight], i) =>
        examples[i]!.responseIds.map(() => weight!),
      ),
    ),
  );
  await trainer.release();
  const size = Math.max(...[...apart.values()].map(({ data }) => norm(data)));
  for (const [name, { data }] of apart) {
    const difference = norm(data.map((x, i) => x - together.get(name)!.data[i]!));
    expect([name, difference / Math.max(norm(data), 1e-3 * size) < 1e-5]).toEqual([name, true]);
  }
});

test('the engine takes one step over all of them', async () => {
  const { operations } = new PolicyEngine({ threads: 2 });
  const context = { checkpoint: async () => {} };
  const optimizer = { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 };
  await operations.load({ directory: goldenFolder('qwen2'), tag: 'base' }, context);
  const sequences = examples.map(e => [...e.promptIds, ...e.responseIds]);
  const { logprobs } = await operations.logprobs({ sequences }, context);
  const losses = examples.map(({ promptIds, responseIds }, i) => {
    const own = logprobs[i]!.slice(promptIds.length) as number[];
    return -own.reduce((a, b) => a + b, 0) / responseIds.length;
  });
  const { loss, tokens } = await operations.sft({ examples, optimizer, microBatchTokens: 4096, tag: 'one' }, context);
  expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 5);
  expect(tokens).toBe(examples.flatMap(e => e.responseIds).length);
});
