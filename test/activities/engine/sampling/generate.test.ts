/** Rollouts: parity with transformers, independence of company, sampling distributions, stopping. */
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { type ModelFolder, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import type {
  GeneratedResponse,
  GenerateRequest,
  SamplingSettings,
} from '../../../../activities/engine/protocol/index';
import { Generator } from '../../../../activities/engine/sampling/generate';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { FAMILIES, golden, goldenFolder } from '../../../support/golden';
import { WEIGHTS, weightsAre } from '../../../support/weights';

const sampling: SamplingSettings = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 40, stopIds: [] };
const onTokens = async (): Promise<void> => {};

interface Engine {
  folder: ModelFolder;
  generator: Generator;
  generate(request: Partial<GenerateRequest> & Pick<GenerateRequest, 'prompts'>): Promise<GeneratedResponse[][]>;
}

async function engine(family: string, threads = 2): Promise<Engine> {
  const folder = await readModelFolder(goldenFolder(family));
  const generator = new Generator(folder.config, new RotaryTable(folder.config), { threads });
  return {
    folder,
    generator,
    generate: request => generator.run(folder.tensors, { group: 1, sampling, ...request }, onTokens),
  };
}

const CASES = FAMILIES.flatMap(family => WEIGHTS.map(weights => [family, weights] as const));

describe.each(CASES)('%s, weights %s', (family, weights) => {
  const numbers = golden(family);
  let subject: Engine;
  beforeAll(async () => {
    weightsAre(weights);
    subject = await engine(family);
  });
  afterAll(() => subject.generator.release());

  test('greedy continuations are those of transformers', async () => {
    const prompts = numbers.greedy.map(({ promptIds }) => ({ ids: promptIds, seed: 'any' }));
    const maxNewTokens = numbers.greedy[0]!.ids.length;
    const groups = await subject.generate({ prompts, sampling: { ...sampling, temperature: 0, maxNewTokens } });
    numbers.greedy.forEach(({ ids, logprobs }, i) => {
      const [response] = groups[i]!;
      expect(response!.ids).toEqual(ids);
      logprobs.forEach((value, t) => {
        expect(Math.abs(response!.logprobs[t]! - value)).toBeLessThan(1e-4);
      });
    });
  });

  test('sampled log-probabilities are those the trainer computes, through several chunks', async () => {
    const ids = numbers.sequences[3]!.ids;
    const temperature = 0.7;
    const [responses] = await subject.generate({
      prompts: [{ ids, seed: 's' }],
      group: 3,
      sampling: { ...sampling, temperature, maxNewTokens: 80 },
    });
    const trainer = new Trainer(subject.folder.config, new RotaryTable(subject.folder.config), { threads: 2 });
    const { logprobs } = await trainer.score(
      subject.folder.tensors,
      [{ promptIds: ids, responses: responses!.map(r => r.ids) }],
      {
        temperature,
        microBatchTokens: 4096,
        checkpoint: async () => {},
      },
    );
    await trainer.release();
    responses!
      .flatMap(r => r.logprobs)
      .forEach((value, t) => {
        expect(Math.abs(value - logprobs[t]!)).toBeLessThan(1e-4);
      });
  });
});

describe('independence', () => {
  test.each(CASES)(
    '%s, weights %s: a response is the same to the bit whatever is beside it, on 1 or 2 threads',
    async (family, weights) => {
      weightsAre(weights);
      const prompts = [1, 5, 33, 64, 65, 130, 300].map(length => ({
        ids: Array.from({ length }, (_, i) => (7 * i + length) % 300),
        seed: `prompt ${length}`,
      }));
      const settings = { ...sampling, topP: 0.9, maxNewTokens: 70, stopIds: [3, 4, 5, 6] };
      const two = await engine(family);
      const together = await two.generate({ prompts, group: 4, sampling: settings });
      const one = await engine(family, 1);
      for (const [i, prompt] of prompts.entries()) {
        const [alone] = await one.generate({ prompts: [prompt], group: 4, sampling: settings });
        expect(together[i]).toEqual(alone);
      }
      const [single] = await one.generate({ prompts: [prompts[3]!], group: 1, sampling: settings });
      expect(single![0]).toEqual(together[3]![0]);
      await Promise.all([one.generator.release(), two.generator.release()]);
    },
  );
});

describe('weights that are constants', () => {
  const request = { prompts: [{ ids: [5, 9, 2, 40], seed: 'x' }], group: 2 };
  const scaled = (tensors: Tensors, factor: number): Tensors =>
    new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.map(x => factor * x) }]));

  test.each([
    [
      'other tensors',
      (of: Engine) => of.generator.run(scaled(of.folder.tensors, 1.5), { sampling, ...request }, onTokens),
    ],
    [
      'other numbers in the same tensors, as a step leaves them',
      async (of: Engine) => {
        for (const [name, { data }] of scaled(of.folder.tensors, 1.5)) of.folder.tensors.get(name)!.data = data;
        return of.generate(request);
      },
    ],
    [
      'the same, after what was made of them was let go',
      async (of: Engine) => {
        for (const [name, { data }] of scaled(of.folder.tensors, 1.5)) of.folder.tensors.get(name)!.data = data;
        await of.generator.forgetPolicy();
        return of.generate(request);
      },
    ],
  ])('%s are sampled from as by a fresh engine', async (_title, again) => {
    weightsAre('constants');
    const [used, fresh] = [await engine('qwen3'), await engine('qwen3')];
    const before = await used.generate(request);
    const expected = await fresh.generator.run(scaled(fresh.folder.tensors, 1.5), { sampling, ...request }, onTokens);
    expect(expected).not.toEqual(before);
    expect(await again(used)).toEqual(expected);
    await Promise.all([used.generator.release(), fresh.generator.release()]);
  });

  test('greedy samples between others, of one policy', async () => {
    weightsAre('constants');
    const subject = await engine('llama');
    const first = await subject.generate(request);
    await subject.generate({ ...request, sampling: { ...sampling, temperature: 0 } });
    expect(await subject.generate(request)).toEqual(first);
    await subject.generator.release();
  });
});

describe('sampling', () => {
  const ids = [5, 9, 2, 40];
  let subject: Engine;
  beforeAll(async () => {
    subject = await engine('qwen2');
  });
  afterAll(() => subject.generator.release());

  /** Probabilities of the first token at a temperature, by scoring every token of the vocabulary. */
  async function firstToken(temperature: number): Promise<number[]> {
    const { config, tensors } = subject.folder;
    const trainer = new Trainer(config, new RotaryTable(config), { threads: 2 });
    const responses = Array.from({ length: config.vocabularySize }, (_, id) => [id]);
    const { logprobs } = await trainer.score(tensors, [{ promptIds: ids, responses }], {
      temperature,
      microBatchTokens: 4096,
      checkpoint: async () => {},
    });
    await trainer.release();
    return [...logprobs].map(Math.exp);
  }

  /** The distribution after top-k and top-p, by brute force. */
  function truncate(probabilities: number[], topP: number, topK: number): number[] {
    const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
    const kept: number[] = [];
    let mass = 0;
    for (const id of order) {
      if (mass >= topP || (topK > 0 && kept.length >= topK)) break;
      kept.push(id);
      mass += probabilities[id]!;
    }
    return probabilities.map((p, id) => (kept.includes(id) ? p / mass : 0));
  }

  test.each([
    { temperature: 1, topP: 1, topK: 0 },
    { temperature: 0.5, topP: 1, topK: 0 },
    { temperature: 1, topP: 0.6, topK: 0 },
    { temperature: 1, topP: 1, topK: 3 },
    { temperature: 1.5, topP: 0.8, topK: 20 },
  ])('first tokens follow the distribution at %j', async ({ temperature, topP, topK }) => {
    const expected = truncate(await firstToken(temperature), topP, topK);
    const draws = 4000;
    const prompts = Array.from({ length: draws / 40 }, (_, i) => ({ ids, seed: `draw ${i}` }));
    const groups = await subject.generate({
      prompts,
      group: 40,
      sampling: { ...sampling, temperature, topP, topK, maxNewTokens: 1 },
    });
    const counts = new Array<number>(expected.length).fill(0);
    for (const {
      ids: [id],
    } of groups.flat())
      counts[id!]! += 1;
    let chiSquare = 0;
    let cells = 0;
    let [restCount, restExpected] = [0, 0];
    expected.forEach((p, id) => {
      if (p === 0) expect(counts[id]).toBe(0);
      if (p * draws < 5) {
        restCount += counts[id]!;
        restExpected += p * draws;
      } else {
        chiSquare += (counts[id]! - p * draws) ** 2 / (p * draws);
        cells += 1;
      }
    });
    if (restExpected >= 5) chiSquare += (restCount - restExpected) ** 2 / restExpected;
    // Five standard deviations above a chi-square variable's mean: seeded, so this either holds or does not.
    expect(chiSquare).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
  });

  test('a response ends with its first stop id, and only then', async () => {
    const stopIds = [10, 20, 30, 40, 50, 60, 70, 80, 90];
    const [responses] = await subject.generate({
      prompts: [{ ids, seed: 'x' }],
      group: 16,
      sampling: { ...sampling, stopIds, maxNewTokens: 50 },
    });
    for (const { ids: tokens, finish } of responses!) {
      const at = tokens.findIndex(id => stopIds.includes(id));
      if (finish === 'stop') expect(at).toBe(tokens.length - 1);
      else expect([at, tokens.length]).toEqual([-1, 50]);
    }
    expect(new Set(responses!.map(r => r.finish))).toEqual(new Set(['stop', 'length']));
  });
});
