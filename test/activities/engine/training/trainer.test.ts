/** Parity with transformers and PyTorch autograd in 32 bits, on all three families. */
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { type ModelFolder, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import type { OptimizerState } from '../../../../activities/engine/folders/optimizer-state';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import type { SftExample } from '../../../../activities/engine/protocol/index';
import { rulesOf } from '../../../../activities/engine/training/algorithms';
import { AdamW, gradientNorm } from '../../../../activities/engine/training/optimizer';
import { policyMetrics } from '../../../../activities/engine/training/policy-metrics';
import { policyObjective, tokenTargets } from '../../../../activities/engine/training/token-targets';
import { sequenceMean } from '../../../../activities/engine/training/token-weights';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { decodeFloats, FAMILIES, golden, goldenFolder, norm } from '../../../support/golden';

const checkpoint = async (): Promise<void> => {};
const options = { temperature: 1, microBatchTokens: 4096, checkpoint };
const asGroups = (examples: readonly SftExample[]) =>
  examples.map(e => ({ promptIds: e.promptIds, responses: [e.responseIds] }));

/** As golden_numbers.py makes the reference policy. */
const REFERENCE_SCALE = 0.875;
const scaled = (tensors: Tensors, factor: number): Tensors =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.map(x => x * factor) }]));

describe.each(FAMILIES)('%s', family => {
  const numbers = golden(family);
  let folder: ModelFolder;
  let trainer: Trainer;

  beforeAll(async () => {
    folder = await readModelFolder(goldenFolder(family));
    trainer = new Trainer(folder.config, new RotaryTable(folder.config), { threads: 2 });
  });
  afterAll(() => trainer.release());

  const sftGradient = (tensors: Tensors, examples: readonly SftExample[], microBatchTokens: number) => {
    const groups = asGroups(examples);
    const weights = sequenceMean(examples.map(e => [e.responseIds.length])).flatMap((w, i) =>
      examples[i]!.responseIds.map(() => w[0]!),
    );
    const fed = { perToken: { weights: Float32Array.from(weights) }, scalars: {} };
    return trainer.gradient('likelihood', tensors, groups, fed, { ...options, microBatchTokens }).then(result => ({
      ...result,
      loss: -result.logprobs.reduce((sum, logprob, t) => sum + weights[t]! * logprob, 0),
    }));
  };

  const expectGradients = (
    gradients: Tensors,
    expected: {
      gradNorm: number;
      gradientNorms: Record<string, number>;
      gradients: Record<string, { base64: string }>;
    },
  ) => {
    expect(gradientNorm(gradients) / expected.gradNorm).toBeCloseTo(1, 4);
    for (const [name, value] of Object.entries(expected.gradientNorms))
      expect([name, norm(gradients.get(name)!.data) / Math.max(1, value)]).toEqual([
        name,
        expect.closeTo(Math.min(1, value), 4),
      ]);
    for (const [name, { base64 }] of Object.entries(expected.gradients)) {
      const want = decodeFloats(base64);
      const got = gradients.get(name)!.data;
      const worst = want.reduce((max, x, i) => Math.max(max, Math.abs(x - got[i]!)), 0);
      expect([name, worst / (norm(want) + 1e-6)]).toEqual([name, expect.closeTo(0, 4)]);
    }
  };

  test('log-probabilities are those of transformers within 1e-4', async () => {
    const sequences = numbers.sequences.filter(s => s.ids.length > 1);
    const groups = sequences.map(({ ids }) => ({ promptIds: [ids[0]!], responses: [ids.slice(1)] }));
    const { logprobs } = await trainer.score(folder.tensors, groups, options);
    const want = sequences.flatMap(s => s.logprobs.slice(1) as number[]);
    want.forEach((value, t) => {
      expect(Math.abs(logprobs[t]! - value)).toBeLessThan(1e-4);
    });
  });

  test('SFT gradients are those of autograd, however the batch is split', async () => {
    for (const budget of [4096, 20]) {
      const result = await sftGradient(folder.tensors, numbers.sft.examples, budget);
      expect(result.loss).toBeCloseTo(numbers.sft.loss, 4);
      expectGradients(result.gradients, numbers.sft);
    }
  });

  test.each(numbers.updates.map(u => [u.name, u] as const))(
    '%s gradients and metrics are those of autograd',
    async (_name, update) => {
      const { settings } = update;
      const groups = update.groups.map(g => ({ promptIds: g.promptIds, responses: g.responses.map(r => r.ids) }));
      const { temperature } = settings;
      const scores = async (tensors: Tensors | false | null | undefined) =>
        tensors ? (await trainer.score(tensors, groups, { ...options, temperature })).logprobs : null;
      const targets = tokenTargets(update.groups, settings, {
        current: await scores(rulesOf(settings.algorithm).ratio === 'sequence' && folder.tensors),
        reference: await scores(settings.kl && scaled(folder.tensors, REFERENCE_SCALE)),
      });
      const { objective, fed } = policyObjective(targets, settings);
      const result = await trainer.gradient(objective, folder.tensors, groups, fed, { ...options, temperature });
      const metrics = policyMetrics(result.logprobs, targets, settings);
      expect(metrics.loss).toBeCloseTo(update.loss, 4);
      expectGradients(result.gradients, update);
      for (const name of ['clipFraction', 'kl', 'logprobDifferenceMax', 'logprobDifferenceMean'] as const)
        expect([name, metrics[name]]).toEqual([name, expect.closeTo(update.metrics[name]!, 4)]);
      if (settings.kl) expect(metrics.referenceKl).toBeCloseTo(update.metrics.referenceKl!, 4);
      else expect(metrics).not.toHaveProperty('referenceKl');
      expect(targets.reward).toBeCloseTo(update.metrics.reward!, 5);
      expect(targets.effectiveGroups).toBe(update.metrics.effectiveGroups);
      expect(result.entropies.reduce((a, b) => a + b, 0) / result.entropies.length).toBeCloseTo(
        update.metrics.entropy!,
        4,
      );
    },
  );

  test('three AdamW steps give the weights torch.optim.AdamW gives', async () => {
    const adamw = await AdamW.create({ threads: 2 });
    const tensors: Tensors = new Map([...folder.tensors].map(([name, t]) => [name, { ...t }]));
    const state: OptimizerState = { step: 0, m: new Map(), v: new Map() };
    for (const [i, batch] of numbers.adamw.batches.entries()) {
      const { gradients, loss } = await sftGradient(tensors, batch, 4096);
      const size = gradientNorm(gradients);
      expect(loss).toBeCloseTo(numbers.adamw.metrics[i]!.loss, 3);
      expect(size).toBeCloseTo(numbers.adamw.metrics[i]!.gradNorm, 2);
      await adamw.step(tensors, gradients, size, state, numbers.adamw.optimizer);
    }
    for (const [name, { base64 }] of Object.entries(numbers.adamw.weights)) {
      const got = tensors.get(name)!.data;
      decodeFloats(base64).forEach((x, i) => {
        expect(Math.abs(x - got[i]!)).toBeLessThan(2e-4);
      });
    }
    await adamw.release();
  });
});
