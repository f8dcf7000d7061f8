/** Training an adapter, against PEFT and PyTorch autograd (test/fixtures/golden/golden_adapters.py). */
import { readAdapter } from '../../../../activities/engine/folders/adapter-folder';
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import type { OptimizerState } from '../../../../activities/engine/folders/optimizer-state';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import type { SftExample } from '../../../../activities/engine/protocol/index';
import { AdamW, gradientNorm } from '../../../../activities/engine/training/optimizer';
import { sequenceMean } from '../../../../activities/engine/training/token-weights';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { decodeFloats, goldenAdapters, goldenFolder, norm } from '../../../support/golden';

async function opened(name: string, family: string, settings: { threads: number; memory?: number }) {
  const folder = await readModelFolder(goldenFolder(family));
  const adapter = await readAdapter(goldenFolder(`adapters/${name}`), folder.config);
  const trainer = new Trainer(folder.config, new RotaryTable(folder.config), settings);
  const sft = async (examples: readonly SftExample[], microBatchTokens = 4096) => {
    const groups = examples.map(e => ({ promptIds: e.promptIds, responses: [e.responseIds] }));
    const lengths = examples.map(e => [e.responseIds.length]);
    const weights = sequenceMean(lengths).flatMap(([weight], i) => examples[i]!.responseIds.map(() => weight!));
    const fed = { perToken: { weights: Float32Array.from(weights) }, scalars: {} };
    const options = { temperature: 1, microBatchTokens, adapter, checkpoint: async () => {} };
    const result = await trainer.gradient('likelihood', folder.tensors, groups, fed, options);
    return { ...result, loss: -result.logprobs.reduce((sum, logprob, t) => sum + weights[t]! * logprob, 0) };
  };
  return { folder, adapter, trainer, sft };
}

describe.each(goldenAdapters())('$name', ({ name, family, sequence, sft: golden, adamw }) => {
  test.each([
    ['in one pass over the whole model', {}, 4096],
    ['split into passes', {}, 20],
    ['layer by layer', { memory: 1 }, 4096],
  ])('gradients are those of autograd, %s', async (_how, memory, microBatchTokens) => {
    const { adapter, trainer, sft } = await opened(name, family, { threads: 2, ...memory });
    const { loss, gradients } = await sft(golden.examples, microBatchTokens);
    await trainer.release();
    expect(loss).toBeCloseTo(golden.loss, 4);
    expect([...gradients.keys()]).toEqual([...adapter.tensors.keys()]);
    expect(gradientNorm(gradients) / golden.gradNorm).toBeCloseTo(1, 4);
    for (const [tensor, value] of Object.entries(golden.gradientNorms))
      expect([tensor, norm(gradients.get(tensor)!.data)]).toEqual([tensor, expect.closeTo(value, 4)]);
    expect(Object.keys(golden.gradients).length).toBeGreaterThan(0);
    for (const [tensor, { base64 }] of Object.entries(golden.gradients)) {
      const want = decodeFloats(base64);
      const got = gradients.get(tensor)!.data;
      const worst = want.reduce((max, x, i) => Math.max(max, Math.abs(x - got[i]!)), 0);
      expect([tensor, worst / norm(want)]).toEqual([tensor, expect.closeTo(0, 4)]);
    }
  });

  test('cut into segments it gives the same bits', async () => {
    const whole = await opened(name, family, { threads: 2 });
    const cut = await opened(name, family, { threads: 1, memory: 1 });
    const [a, b] = [await whole.sft(golden.examples), await cut.sft(golden.examples)];
    expect(b.logprobs).toEqual(a.logprobs);
    for (const [tensor, { data }] of a.gradients) expect(b.gradients.get(tensor)!.data).toEqual(data);
    await whole.trainer.release();
    await cut.trainer.release();
  });

  test('three steps of AdamW change the adapter as PEFT changes it, and the weights not at all', async () => {
    const { folder, adapter, trainer, sft } = await opened(name, family, { threads: 2 });
    const before = new Map([...folder.tensors].map(([tensor, { data }]) => [tensor, data.slice()]));
    const optimizer = await AdamW.create({ threads: 2 });
    const state: OptimizerState = { step: 0, m: new Map(), v: new Map() };
    for (const [k, examples] of adamw.batches.entries()) {
      const { loss, gradients } = await sft(examples);
      const gradNorm = gradientNorm(gradients);
      expect(loss).toBeCloseTo(adamw.metrics[k]!.loss, 3);
      expect(gradNorm).toBeCloseTo(adamw.metrics[k]!.gradNorm, 3);
      await optimizer.step(adapter.tensors, gradients, gradNorm, state, adamw.optimizer);
    }
    for (const [tensor, value] of Object.entries(adamw.norms))
      expect([tensor, norm(adapter.tensors.get(tensor)!.data)]).toEqual([tensor, expect.closeTo(value, 3)]);
    for (const [tensor, { data }] of folder.tensors) expect(data).toEqual(before.get(tensor));
    await optimizer.release();
    await trainer.release();
  });

  test('scoring is what PEFT gives, and without the adapter what the model gives', async () => {
    const { folder, adapter, trainer } = await opened(name, family, { threads: 2 });
    const groups = [{ promptIds: [sequence.ids[0]!], responses: [sequence.ids.slice(1)] }];
    const options = { temperature: 1, microBatchTokens: 4096, checkpoint: async () => {} };
    const worst = async (of: typeof adapter | null) => {
      const { logprobs } = await trainer.score(folder.tensors, groups, { ...options, adapter: of });
      return Math.max(...logprobs.map((value, t) => Math.abs(value - sequence.logprobs[t + 1]!)));
    };
    expect(await worst(adapter)).toBeLessThan(1e-4);
    expect(await worst(null)).toBeGreaterThan(0.1);
    await trainer.release();
  });
});
