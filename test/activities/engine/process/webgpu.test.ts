/**
 * On the provider webgpu all arithmetic is the device's. onnxruntime gives the processor what the device has no kernel for,
 * without a word: so all models that the engine makes are taken from it, and onnxruntime says node by node where it would
 * compute them, with a driver that needs no GPU. What they compute is told by the processor, in words that the device
 * understands.
 */
import { PolicyEngine } from '../../../../activities/engine/process/policy-engine';
import {
  DEFAULT_LORA,
  DEFAULT_OPTIMIZER,
  type Operation,
  type SamplingSettings,
} from '../../../../activities/engine/protocol/index';
import { golden, goldenFolder } from '../../../support/golden';
import { type CapturedModel, captureModels } from '../../../support/webgpu/captured-models';
import { type PlacedNode, placements } from '../../../support/webgpu/placements';
import { SWIFTSHADER_RUNS, swiftshader } from '../../../support/webgpu/swiftshader';

const FAMILY = 'qwen3';
const directory = goldenFolder(FAMILY);
const numbers = golden(FAMILY);
const common = { optimizer: { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 }, microBatchTokens: 4096, tag: 'next' };
const whole: SamplingSettings = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 2, stopIds: [7] };
/** More than are decoded in one run: the next one has a past. */
const LONG = 260;
const SAMPLINGS: SamplingSettings[] = [
  whole,
  { ...whole, temperature: 0 },
  { ...whole, topP: 0.9, maxNewTokens: LONG, stopIds: [] },
  { ...whole, topP: 0.9, truncatedLogprobs: true },
];

/** Each loss once. */
const UPDATES = numbers.updates.filter(({ name }) =>
  ['grpo', 'grpo near a reference', 'cispo', 'cispo near a reference'].includes(name),
);

/** Every kind of graph that the engine has. */
const GRAPHS = [
  'trial',
  'adamw',
  'lora merge',
  'prefill at tile 128',
  ...['greedy', 'full', 'truncated', 'within nucleus'].map(mode => `decoding, ${mode}`),
  ...['score', 'likelihood', 'clipped', 'reweighted', 'clipped near reference', 'reweighted near reference'].map(
    kind => `${kind} of 2 layers at tile 128`,
  ),
  ...['forward', 'backward', 'likelihood'].map(kind => `${kind} of 1 layers at tile 128`),
];

/** All that the engine can be asked, and every number that it gives. */
async function everything(provider: 'cpu' | 'webgpu'): Promise<Record<string, number>> {
  const told: Record<string, number> = {};
  /** Whole or cut into layers, for want of memory. */
  for (const memory of [undefined, 1]) {
    const { operations } = new PolicyEngine({ threads: 1, provider, ...(memory && { memory }) });
    const ask = async (operation: Operation, request: object): Promise<void> => {
      const result = await operations[operation](request as never, { checkpoint: async () => {} });
      tell(told, `${memory ?? 'whole'} ${Object.keys(told).length} ${operation}`, result);
    };
    await ask('load', { directory, tag: 'base' });
    await ask('sft', { examples: numbers.sft.examples, ...common });
    if (memory) continue;
    await ask('reference', { directory, adapter: null, tag: 'reference' });
    await ask('logprobs', { sequences: numbers.sequences.slice(0, 5).map(({ ids }) => ids) });
    for (const sampling of SAMPLINGS)
      await ask('generate', { prompts: [{ ids: [5, 2, 9], seed: 'any' }], group: 2, sampling });
    for (const { groups, settings: loss } of UPDATES) await ask('update', { groups, loss, ...common });
    const truncation = { topP: 0.9, topK: 0 };
    await ask('score', { groups: [{ promptIds: [5, 2], responses: [[9, 4], [3]] }], temperature: 1, truncation });
    const adapter = { fresh: { settings: DEFAULT_LORA, seed: 'any', baseModel: null } };
    await ask('load', { directory, tag: 'base', adapter });
    await ask('sft', { examples: numbers.sft.examples, ...common });
    await ask('generate', { prompts: [{ ids: [5, 2, 9], seed: 'any' }], group: 2, sampling: whole });
  }
  return told;
}

/** Flattens what came back, times left out. */
function tell(told: Record<string, number>, path: string, value: unknown): void {
  if (typeof value === 'number') told[path] = value;
  else if (value !== null && typeof value === 'object')
    for (const [key, part] of Object.entries(value)) if (key !== 'seconds') tell(told, `${path} ${key}`, part);
}

let models: CapturedModel[];
let lowered: Record<string, number>;

beforeAll(async () => {
  const captured = captureModels();
  lowered = await everything('webgpu');
  captured.restore();
  models = captured.models;
});

test('in the words that a device understands the engine computes the same, within 1e-4', async () => {
  const plain = await everything('cpu');
  expect(Object.keys(lowered)).toEqual(Object.keys(plain));
  expect(Object.keys(plain).length).toBeGreaterThan(1000);
  const far = Object.entries(plain).filter(([path, value]) => {
    return !(Math.abs(lowered[path]! - value) <= 1e-4 * Math.max(1, Math.abs(value)));
  });
  expect(far.map(([path, value]) => `${path}: ${value} and ${lowered[path]}`)).toEqual([]);
});

/** What the processor keeps: control flow, and whole numbers and truths, by which loops go on and places are found. */
const CONTROL_FLOW = ['Loop'];
const OF_WHOLE_NUMBERS_AND_TRUTHS = [
  ...['Add', 'Concat', 'Div', 'Equal', 'Gather', 'GatherElements', 'Identity', 'Less', 'Mul', 'Or', 'Reshape', 'Shape'],
];

(SWIFTSHADER_RUNS ? describe : describe.skip)('by a driver without a GPU, which there is for x86-64 Linux', () => {
  let nodes: PlacedNode[];
  beforeAll(() => {
    nodes = placements(models, { ...process.env, ...swiftshader() });
  }, 300_000);

  test('every kind of graph was placed', () => {
    expect([...new Set(nodes.map(({ model }) => model))].sort()).toEqual([...GRAPHS].sort());
  });

  test('all arithmetic is on the device', () => {
    const elsewhere = nodes.filter(({ device, operator }) => !device && !CONTROL_FLOW.includes(operator));
    // The shape of anything may be read there; a node of unknown types is one that onnxruntime made.
    const arithmetic = elsewhere.filter(({ operator, types }) => {
      if (!types) return true;
      return [...(operator === 'Shape' ? [] : types.inputs), ...types.outputs].includes('float32');
    });
    expect(arithmetic.map(({ model, operator, name }) => `${model}: ${operator} (${name})`)).toEqual([]);
    expect([...new Set(elsewhere.map(({ operator }) => operator))].sort()).toEqual(OF_WHOLE_NUMBERS_AND_TRUTHS);
    expect(nodes.filter(({ device }) => device).length).toBeGreaterThan(1000);
  });
});
