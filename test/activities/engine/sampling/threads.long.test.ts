/** Models whose sums have more than 128 terms: the same bits on any number of threads, and of responses beside any others. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelFolder, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import type { PromptGroup } from '../../../../activities/engine/model/packing';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import type { GeneratedResponse, GeneratePrompt, SamplingSettings } from '../../../../activities/engine/protocol/index';
import { randomStream } from '../../../../activities/engine/random';
import { Generator } from '../../../../activities/engine/sampling/generate';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { writeUntrainedLlama } from '../../../../infra/presets/untrained-llama';
import { randomFloats } from '../../../support/graphs';
import { WEIGHTS, weightsAre } from '../../../support/weights';

jest.setTimeout(240_000);

const THREADS = [1, 2, 3, 8];
const VOCABULARY = 195;

const random = randomStream('threads');
const ids = (length: number): number[] => Array.from({ length }, () => random.below(VOCABULARY));

/** Hidden and intermediate size, and layers. */
const UNTRAINED = [
  [128, 344, 2],
  [576, 1536, 1],
] as const;

let scratch: string;
const models: Record<string, ModelFolder> = {};
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'longhaul-threads-'));
  models.tiny = await readModelFolder(join(__dirname, '../../../../infra/presets/tiny/base'));
  for (const [hiddenSize, intermediateSize, layers] of UNTRAINED) {
    const name = `${hiddenSize} x ${intermediateSize}`;
    const shape = {
      hiddenSize,
      intermediateSize,
      layers,
      heads: 4,
      vocabularySize: VOCABULARY,
      contextLength: 2048,
    };
    const directory = join(scratch, name);
    await writeUntrainedLlama(directory, { ...shape, eosId: null }, tensor => ({
      deviation: 0.05,
      random: randomStream('threads', name, tensor),
    }));
    models[name] = await readModelFolder(directory);
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const NAMES = ['tiny', ...UNTRAINED.map(([hidden, intermediate]) => `${hidden} x ${intermediate}`)];

describe.each(NAMES.flatMap(name => WEIGHTS.map(weights => [name, weights] as const)))(
  'rollouts of %s, weights %s',
  (name, weights) => {
    beforeEach(() => weightsAre(weights));
    const sampling: SamplingSettings = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 40, stopIds: [] };
    const prompts = Array.from(
      { length: 32 },
      (_, i): GeneratePrompt => ({ ids: ids(2 + 5 * i), seed: `prompt ${i}` }),
    );

    async function generate(threads: number, of: GeneratePrompt[], group: number): Promise<GeneratedResponse[][]> {
      const { config, tensors } = models[name]!;
      const generator = new Generator(config, new RotaryTable(config), { threads });
      const responses = await generator.run(tensors, { prompts: of, group, sampling }, async () => {});
      await generator.release();
      return responses;
    }

    test('on any number of threads', async () => {
      const some = [prompts[9]!, prompts[30]!];
      const first = await generate(1, some, 4);
      for (const threads of THREADS.slice(1))
        expect({ threads, responses: await generate(threads, some, 4) }).toEqual({ threads, responses: first });
    });

    test('alone and among others', async () => {
      const together = await generate(2, prompts, 2);
      for (const i of [0, 9, 31]) expect((await generate(2, [prompts[i]!], 2))[0]).toEqual(together[i]);
    });
  },
);

test('a long response after a long prompt, on more threads than there are heads', async () => {
  const { config, tensors } = models.tiny!;
  const responses = [];
  for (const threads of [1, 16]) {
    const generator = new Generator(config, new RotaryTable(config), { threads });
    const sampling = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 60, stopIds: [] };
    const request = { prompts: [{ ids: prompt, seed: 'long' }], group: 8, sampling };
    responses.push(await generator.run(tensors, request, async () => {}));
    await generator.release();
  }
  expect(responses[1]).toEqual(responses[0]);
});
const prompt = ids(1500);

describe.each(NAMES)('scores and gradients of %s', name => {
  test.each([
    ['few', [{ promptIds: ids(7), responses: [ids(9), ids(4)] }]],
    ['some', [{ promptIds: ids(41), responses: [ids(109), ids(84)] }]],
    ['many', [{ promptIds: ids(301), responses: [ids(203), ids(197), ids(399)] }]],
  ] satisfies [string, PromptGroup[]][])('of %s tokens, on any number of threads', async (_title, groups) => {
    const { config, tensors } = models[name]!;
    const count = groups.flatMap(g => g.responses).reduce((sum, r) => sum + r.length, 0);
    const settings = { temperature: 0.7, microBatchTokens: 4096, checkpoint: async () => {} };
    const weights = randomFloats('weights', count, 0, 2 / count);
    const fed = {
      perToken: { weights, old: randomFloats('old', count, -6, -4), advantages: randomFloats('adv', count, -1.5, 1.5) },
      scalars: { ratio_low: 0.8, ratio_high: 1.28 },
    };
    const numbers = async (threads: number): Promise<Record<string, string>> => {
      const trainer = new Trainer(config, new RotaryTable(config), { threads });
      const { logprobs } = await trainer.score(tensors, groups, settings);
      const step = await trainer.gradient('clipped', tensors, groups, fed, settings);
      const sft = await trainer.gradient(
        'likelihood',
        tensors,
        groups,
        { perToken: { weights }, scalars: {} },
        settings,
      );
      await trainer.release();
      return Object.fromEntries([
        ['scores', bits(logprobs)],
        ...[...step.gradients].map(([tensor, { data }]) => [`update ${tensor}`, bits(data)]),
        ...[...sft.gradients].map(([tensor, { data }]) => [`sft ${tensor}`, bits(data)]),
      ]);
    };
    const first = await numbers(1);
    for (const threads of [2, 3]) {
      const others = await numbers(threads);
      const differing = Object.keys(first).filter(key => first[key] !== others[key]);
      expect({ threads, differing }).toEqual({ threads, differing: [] });
    }
  });
});

const bits = (data: Float32Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
