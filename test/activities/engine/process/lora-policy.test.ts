/** A policy that is an adapter, through every operation of the engine. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAdapter } from '../../../../activities/engine/folders/adapter-folder';
import { readConfig, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { PolicyEngine } from '../../../../activities/engine/process/policy-engine';
import {
  DEFAULT_LORA,
  DEFAULT_OPTIMIZER,
  type LoadRequest,
  type SftRequest,
} from '../../../../activities/engine/protocol/index';
import { golden, goldenFolder } from '../../../support/golden';

const model = goldenFolder('qwen2');
const numbers = golden('qwen2');
const context = { checkpoint: async () => {} };
const fresh: LoadRequest = {
  directory: model,
  adapter: { fresh: { settings: { ...DEFAULT_LORA, rank: 4, alpha: 8 }, seed: 3, baseModel: 'qwen2' } },
  tag: 'fresh',
};
const step = (k: number): SftRequest => ({
  examples: numbers.adamw.batches[k]!,
  optimizer: { ...DEFAULT_OPTIMIZER, learningRate: 1e-2 },
  microBatchTokens: 4096,
  tag: `step ${k}`,
});

let scratch: string;
const at = (name: string): string => join(scratch, name);
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lora-policy-'));
});
afterEach(() => rm(scratch, { recursive: true }));

async function trained(steps: number): Promise<PolicyEngine['operations']> {
  const { operations } = new PolicyEngine({ threads: 2 });
  await operations.load(fresh, context);
  for (let k = 0; k < steps; k++) await operations.sft(step(k), context);
  return operations;
}

const logprobsOf = async (operations: PolicyEngine['operations']): Promise<number[]> => {
  const sequences = numbers.sequences.map(s => s.ids);
  const { logprobs } = await operations.logprobs({ sequences }, context);
  return logprobs.flatMap(values => values.slice(1) as number[]);
};

const largestDifference = (a: number[], b: number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test('a fresh adapter changes nothing', async () => {
  const want = numbers.sequences.flatMap(s => s.logprobs.slice(1) as number[]);
  expect(largestDifference(await logprobsOf(await trained(0)), want)).toBeLessThan(1e-4);
});

test('saved and loaded again it goes on to the same bits', async () => {
  const whole = await trained(3);
  const first = await trained(1);
  const saved = await first.save({ directory: at('one'), withOptimizer: true }, context);
  expect(saved.sha256).toBe((await first.fingerprint({}, context)).sha256);
  const files = ['adapter_config.json', 'adapter_model.safetensors', 'optimizer.safetensors'];
  expect((await readdir(at('one'))).sort()).toEqual(files);

  const { operations } = new PolicyEngine({ threads: 1 });
  await operations.load({ directory: model, adapter: { directory: at('one') }, tag: 'one' }, context);
  for (const k of [1, 2]) await operations.sft(step(k), context);
  expect(await operations.fingerprint({}, context)).toEqual(await whole.fingerprint({}, context));
  // The optimiser's state was of use.
  await operations.load({ directory: model, adapter: { directory: at('one') }, optimizer: null, tag: 'one' }, context);
  for (const k of [1, 2]) await operations.sft(step(k), context);
  expect(await operations.fingerprint({}, context)).not.toEqual(await whole.fingerprint({}, context));
});

test('samples from the weights with the adapter in them, as they are after each step', async () => {
  const operations = await trained(0);
  const generate = async () => {
    const request = {
      prompts: [{ ids: numbers.sequences[3]!.ids.slice(0, 12), seed: 's' }],
      group: 4,
      sampling: { temperature: 1, topP: 1, topK: 0, maxNewTokens: 12, stopIds: [] },
    };
    const { groups } = await operations.generate(request, context);
    const { ids } = request.prompts[0]!;
    const sequences = groups[0]!.responses.map(response => [...ids, ...response.ids]);
    const { logprobs } = await operations.logprobs({ sequences }, context);
    const scored = logprobs.flatMap(values => values.slice(ids.length) as number[]);
    const sampled = groups[0]!.responses.flatMap(response => response.logprobs);
    expect(largestDifference(scored, sampled)).toBeLessThan(1e-4);
    return sampled;
  };
  const before = await generate();
  await operations.sft(step(0), context);
  expect(await generate()).not.toEqual(before);
});

test('merged it is an ordinary model that gives the same', async () => {
  const operations = await trained(2);
  const want = await logprobsOf(operations);
  await operations.save({ directory: at('merged'), withOptimizer: false, merged: true }, context);
  expect(await readdir(at('merged'))).toEqual(
    expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']),
  );
  const plain = new PolicyEngine({ threads: 2 }).operations;
  await plain.load({ directory: at('merged'), tag: 'merged' }, context);
  expect(largestDifference(await logprobsOf(plain), want)).toBeLessThan(1e-4);

  const [base, merged] = [await readModelFolder(model), await readModelFolder(at('merged'))];
  const changed = [...base.tensors.keys()].filter(
    name => !merged.tensors.get(name)!.data.every((x, i) => x === base.tensors.get(name)!.data[i]),
  );
  expect(changed).toHaveLength(2 * DEFAULT_LORA.targetModules.length);
  await expect(operations.save({ directory: at('both'), withOptimizer: true, merged: true }, context)).rejects.toThrow(
    /merged weights have no optimiser's state/,
  );
});

test("the optimiser's state of all weights is none of an adapter's", async () => {
  const { operations } = new PolicyEngine({ threads: 2 });
  await operations.load({ directory: model, tag: 'all weights' }, context);
  await operations.sft(step(0), context);
  await operations.save({ directory: at('whole'), withOptimizer: true }, context);
  await operations.load({ ...fresh, directory: at('whole') }, context);
  expect(await operations.sft(step(0), context)).toMatchObject({ optimizerStep: 1 });
  await expect(operations.load({ ...fresh, optimizer: at('whole') }, context)).rejects.toThrow(
    /optimizer\.safetensors: tensor 'm\.base_model\.model\.model\.layers\.0\.self_attn\.q_proj\.lora_A\.weight' is missing/,
  );
});

test('the adapter begins as its settings and seed say', async () => {
  await (await trained(0)).save({ directory: at('fresh'), withOptimizer: false }, context);
  const { config } = await readConfig(model);
  const adapter = await readAdapter(at('fresh'), config);
  expect(adapter.settings).toEqual({
    ...DEFAULT_LORA,
    rank: 4,
    alpha: 8,
    targetModules: [...DEFAULT_LORA.targetModules].sort(),
  });
  expect(adapter.baseModel).toBe('qwen2');
});

test.each([
  ['all weights', { directory: model, tag: 'all' }],
  ['an adapter', fresh],
])('%s, saved into a folder that is taken away meanwhile, are to be saved again', async (_, load) => {
  const { operations } = new PolicyEngine({ threads: 2 });
  await operations.load(load, context);
  await operations.sft(step(0), context);
  const fs: typeof import('node:fs/promises') = jest.requireActual('node:fs/promises');
  const save = () => operations.save({ directory: at('disk/policy'), withOptimizer: true }, context);
  let file = 0;
  for (; ; file++) {
    let opened = 0;
    const open = fs.open;
    jest.spyOn(fs, 'open').mockImplementation(async (...args) => {
      if (opened++ === file) await fs.rename(at('disk'), at(`gone-${file}`));
      return open(...args);
    });
    const saved = await save().catch((error: unknown) => error);
    jest.restoreAllMocks();
    if (opened <= file) break;
    expect(saved).toMatchObject({ name: 'EngineRequestError', code: 'storage' });
    expect(String(saved)).toMatch(/disk.policy: was taken away while it was written/);
  }
  expect(file).toBeGreaterThan(2);
});
