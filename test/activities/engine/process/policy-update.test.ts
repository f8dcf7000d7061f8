/** The engine's update on a tiny model: its gradient against finite differences, its metrics, what it refuses. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { PolicyEngine } from '../../../../activities/engine/process/policy-engine';
import {
  type Algorithm,
  DEFAULT_LORA,
  DEFAULT_OPTIMIZER,
  type LossSettings,
  type ScoredGroup,
} from '../../../../activities/engine/protocol/index';
import { policyObjective, tokenTargets } from '../../../../activities/engine/training/token-targets';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { golden, goldenFolder } from '../../../support/golden';
import { lossOf } from '../../../support/rollouts';

const model = goldenFolder('qwen2');
const numbers = golden('qwen2');
const context = { checkpoint: async () => {} };
const rolloutsOf = (name: string): ScoredGroup[] => numbers.updates.find(u => u.name === name)!.groups;
const groups = rolloutsOf('gspo');
const requestOf = (loss: LossSettings, rollouts = groups) => ({
  ...{ groups: rollouts, loss, microBatchTokens: 4096, tag: 'updated' },
  optimizer: { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 },
});

async function loaded(tag = 'base'): Promise<PolicyEngine['operations']> {
  const { operations } = new PolicyEngine({ threads: 2 });
  await operations.load({ directory: model, tag }, context);
  return operations;
}

describe('the gradient along itself is what finite differences give', () => {
  const kl = { coefficient: 0.3 };
  test.each<[Algorithm, Partial<LossSettings>]>([
    ['grpo', {}],
    ['dapo', { kl }],
    ['gspo', { clipLow: 0.03, clipHigh: 0.04 }],
    ['gspo', { clipLow: 0.03, clipHigh: 0.04, kl }],
    ['cispo', { clipHigh: 0.25 }],
    ['cispo', { clipHigh: 0.25, kl }],
  ])('%s %j', async (algorithm, over) => {
    const settings = lossOf(algorithm, over);
    const folder = await readModelFolder(model);
    const trainer = new Trainer(folder.config, new RotaryTable(folder.config), { threads: 2 });
    const prompts = groups.map(g => ({ promptIds: g.promptIds, responses: g.responses.map(r => r.ids) }));
    const options = { temperature: 1, microBatchTokens: 4096, ...context };
    const score = async (tensors: Tensors) => (await trainer.score(tensors, prompts, options)).logprobs;

    const current = await score(folder.tensors);
    const reference = current.map((x, t) => x + 0.3 * Math.sin(t));
    const targets = tokenTargets(groups, settings, { current, reference: settings.kl ? reference : null });
    const { objective, fed } = policyObjective(targets, settings);
    const { gradients } = await trainer.gradient(objective, folder.tensors, prompts, fed, options);
    const size = Math.sqrt([...gradients.values()].reduce((sum, { data }) => data.reduce((s, x) => s + x * x, sum), 0));

    const STEP = 2e-3;
    const moved = (step: number): Tensors =>
      new Map(
        [...folder.tensors].map(([name, { shape, data }]) => {
          const along = gradients.get(name)!.data;
          return [name, { shape, data: data.map((x, i) => x + (step * along[i]!) / size) }];
        }),
      );
    const lossAt = async (step: number) => lossFrom(await score(moved(step)), current, reference, settings);
    const slope = ((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP);
    await trainer.release();
    expect(slope / size).toBeCloseTo(1, 1.7);
  });

  /** The loss as the papers have it, `current` where a gradient is stopped. */
  function lossFrom(logprobs: Float32Array, current: Float32Array, reference: Float32Array, settings: LossSettings) {
    const { algorithm, clipLow, clipHigh, kl } = settings;
    const clip = (x: number) => Math.max(1 - clipLow, Math.min(1 + clipHigh, x));
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    let t = 0;
    const losses = groups.map(({ responses }) => {
      const rewards = responses.map(r => r.reward);
      const deviation = Math.sqrt(rewards.reduce((a, r) => a + (r - mean(rewards)) ** 2, 0) / (rewards.length - 1));
      const tokens = responses.map(({ ids, logprobs: old, reward }) => {
        const advantage = (reward - mean(rewards)) / (deviation + 1e-6);
        const at = ids.map(() => t++);
        const sequence = Math.exp(mean(at.map((t, k) => logprobs[t]! - old[k]!)));
        return at.map((t, k) => {
          const divergence = Math.exp(reference[t]! - logprobs[t]!) - (reference[t]! - logprobs[t]!) - 1;
          const ratio = algorithm === 'gspo' ? sequence : Math.exp(logprobs[t]! - old[k]!);
          const term =
            algorithm === 'cispo'
              ? clip(Math.exp(current[t]! - old[k]!)) * advantage * logprobs[t]!
              : Math.min(ratio * advantage, clip(ratio) * advantage);
          return -term + (kl ? kl.coefficient * divergence : 0);
        });
      });
      return algorithm === 'dapo' || algorithm === 'cispo' ? mean(tokens.flat()) : mean(tokens.map(mean));
    });
    return mean(losses);
  }
});

describe('the engine', () => {
  test.each(numbers.updates.filter(u => !u.settings.kl).map(u => [u.name, u] as const))(
    'takes a step and reports it: %s',
    async (_name, { groups, settings, loss, gradNorm, metrics }) => {
      const operations = await loaded();
      const result = await operations.update(requestOf(settings, groups), context);
      expect(result.loss).toBeCloseTo(loss, 4);
      expect(result.gradNorm / gradNorm).toBeCloseTo(1, 4);
      expect(result.clipFraction).toBeCloseTo(metrics.clipFraction!, 6);
      expect((await operations.status({}, context)).tag).toBe('updated');
    },
  );

  test('near itself a policy has no divergence, one step later it has', async () => {
    const operations = await loaded();
    await operations.reference({ directory: model, tag: 'kept' }, context);
    expect(await operations.status({}, context)).toMatchObject({ tag: 'base', reference: 'kept' });
    const request = requestOf(lossOf('grpo', { kl: { coefficient: 0.1 } }));
    expect((await operations.update(request, context)).referenceKl).toBeCloseTo(0, 9);
    expect((await operations.update(request, context)).referenceKl).toBeGreaterThan(1e-6);
  });

  test('the KL term pulls back towards the reference', async () => {
    const away = async (coefficient: number) => {
      const operations = await loaded();
      await operations.reference({ directory: model, tag: 'kept' }, context);
      const request = requestOf(lossOf('grpo', { kl: { coefficient } }));
      for (let k = 0; k < 5; k++) await operations.update(request, context);
      return (await operations.update(request, context)).referenceKl!;
    };
    expect(await away(50)).toBeLessThan(0.5 * (await away(1e-3)));
  });

  test('an adapter’s reference is the model beneath, or an adapter over it', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'reference-'));
    const { operations } = new PolicyEngine({ threads: 2 });
    const settings = { ...DEFAULT_LORA, rank: 4, alpha: 8 };
    await operations.load(
      { directory: model, adapter: { fresh: { settings, seed: 1, baseModel: null } }, tag: 'a' },
      context,
    );
    await operations.reference({ directory: model, tag: 'base' }, context);
    const request = requestOf(lossOf('rloo', { kl: { coefficient: 0.1 } }));
    expect((await operations.update(request, context)).referenceKl).toBeCloseTo(0, 9);
    const directory = join(scratch, 'adapter');
    await operations.save({ directory, withOptimizer: false }, context);
    expect((await operations.update(request, context)).referenceKl).toBeGreaterThan(1e-7);
    await operations.load({ directory: model, adapter: { directory }, tag: 'b' }, context);
    await operations.reference({ directory: model, adapter: { directory }, tag: 'itself' }, context);
    expect((await operations.update(request, context)).referenceKl).toBeCloseTo(0, 9);
    await rm(scratch, { recursive: true });
  });

  test('scores responses as sequences are scored', async () => {
    const operations = await loaded();
    const { temperature, ids, logprobs } = numbers.tempered;
    const score = {
      groups: [{ promptIds: ids.slice(0, 20), responses: [ids.slice(20), ids.slice(20, 30)] }],
      temperature,
    };
    const [[whole, part]] = (await operations.score(score, context)).logprobs as [[number[], number[]]];
    expect(whole).toHaveLength(ids.length - 20);
    whole.forEach((value, t) => {
      expect(Math.abs(value - logprobs[20 + t]!)).toBeLessThan(1e-4);
    });
    part.forEach((value, t) => {
      expect(Math.abs(value - whole[t]!)).toBeLessThan(1e-5);
    });
  });

  test('the next policy comes without a reference', async () => {
    const operations = await loaded();
    await operations.reference({ directory: model, tag: 'kept' }, context);
    await operations.load({ directory: model, tag: 'other' }, context);
    expect((await operations.status({}, context)).reference).toBeNull();
  });

  const [first, ...others] = groups;
  const proximal = [{ ...first!, responses: first!.responses.map(r => ({ ...r, proximal: r.logprobs })) }, ...others];
  test.each<[string, LossSettings, ScoredGroup[], RegExp]>([
    ['a KL term without a reference', lossOf('grpo', { kl: { coefficient: 1 } }), groups, /call reference first/],
    ['dr-grpo without a limit', lossOf('dr-grpo'), groups, /maxResponseTokens is undefined; dr-grpo divides/],
    [
      'a cap without proximal ones',
      lossOf('grpo', { importanceCap: 2 }),
      groups,
      /importanceCap is 2 and a response lacks/,
    ],
    ['proximal ones without a cap', lossOf('grpo'), proximal, /importanceCap is undefined and a response bears/],
  ])('refuses %s', async (_what, loss, rollouts, message) => {
    const operations = await loaded();
    const before = await operations.fingerprint({}, context);
    await expect(operations.update(requestOf(loss, rollouts), context)).rejects.toThrow(message);
    expect(await operations.fingerprint({}, context)).toEqual(before);
  });

  test('refuses a reference of another model by name', async () => {
    const operations = await loaded();
    const other = goldenFolder('llama');
    await expect(operations.reference({ directory: other, tag: 'other' }, context)).rejects.toThrow(
      /llama: config\.json differs from the trained policy's in .*qwen2/,
    );
  });
});

test('each token has the entropy of the whole distribution that it was drawn from', async () => {
  const operations = await loaded();
  const [{ promptIds, responses }] = groups as [ScoredGroup];
  const { ids } = responses[0]!;
  const temperature = 0.7;
  const asked = { groups: [{ promptIds, responses: [ids] }], temperature };
  const { entropies } = await operations.score({ ...asked, entropies: true }, context);
  expect(await operations.score(asked, context)).not.toHaveProperty('entropies');
  const { vocabularySize } = (await operations.status({}, context)).model!;
  for (const at of [0, ids.length - 1]) {
    const before = [...promptIds, ...ids.slice(0, at)];
    const sequences = Array.from({ length: vocabularySize }, (_, token) => [...before, token]);
    const { logprobs } = await operations.logprobs({ sequences, temperature }, context);
    const entropy = logprobs.reduce((sum, of) => sum - Math.exp(of.at(-1)!) * of.at(-1)!, 0);
    expect(entropies![0]![0]![at]).toBeCloseTo(entropy, 4);
  }
});
