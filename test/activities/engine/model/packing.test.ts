/** Packing: splitting into passes, and shared prompts computed once against full sequences computed apart. */
import type { Tensors } from '../../../../activities/engine/files/safetensors';
import { type ModelFolder, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { type GroupPart, type PromptGroup, pack, splitPasses } from '../../../../activities/engine/model/packing';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { type RandomStream, randomStream } from '../../../../activities/engine/random';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { goldenFolder, norm } from '../../../support/golden';
import { between, randomFloats } from '../../../support/graphs';

const VOCABULARY = 320;

const tokens = (random: RandomStream, length: number): number[] =>
  Array.from({ length }, () => random.below(VOCABULARY));

function group(random: RandomStream, prompt: number, responses: readonly number[]): PromptGroup {
  return { promptIds: tokens(random, prompt), responses: responses.map(length => tokens(random, length)) };
}

describe('splitPasses', () => {
  const streamTokens = ({ promptIds, responses }: PromptGroup): number =>
    promptIds.length - 1 + responses.reduce((n, r) => n + r.length, 0);
  const passTokens = (parts: readonly GroupPart[]): number => parts.reduce((n, part) => n + streamTokens(part), 0);

  function randomBatch(random: RandomStream): { groups: PromptGroup[]; budget: number } {
    const groups = Array.from({ length: between(random, 0, 8) }, () =>
      group(
        random,
        between(random, 1, 30),
        Array.from({ length: between(random, 1, 6) }, () => between(random, 1, 40)),
      ),
    );
    return { groups, budget: between(random, 1, 200) };
  }

  const random = randomStream('passes');
  const batches = Array.from({ length: 300 }, () => randomBatch(random));

  test('every response is computed once, in order, behind its own prompt', () => {
    for (const { groups, budget } of batches) {
      const parts = splitPasses(groups, budget).flat();
      const wanted = groups.flatMap(g => g.responses.map(response => ({ prompt: g.promptIds, response })));
      const found = parts.flatMap(part => part.responses.map(response => ({ prompt: part.promptIds, response })));
      expect(found).toEqual(wanted);
      let token = 0;
      const offsets = wanted.map(({ response }) => {
        token += response.length;
        return token - response.length;
      });
      expect(parts.flatMap(part => part.offsets)).toEqual(offsets);
    }
  });

  test('a pass keeps to the budget unless it is one response that cannot', () => {
    for (const { groups, budget } of batches)
      for (const parts of splitPasses(groups, budget)) {
        expect(parts.every(part => part.responses.length > 0)).toBe(true);
        if (passTokens(parts) > budget) expect(parts.map(part => part.responses.length)).toEqual([1]);
        else expect(parts.length).toBeGreaterThan(0);
      }
  });

  test('a group that fits into a pass is not torn, and a pass ends only where the next part would not fit', () => {
    for (const { groups, budget } of batches) {
      const passes = splitPasses(groups, budget);
      const fitting = groups.filter(g => streamTokens(g) <= budget);
      for (const { promptIds, responses } of fitting)
        expect(
          passes
            .flat()
            .filter(part => part.promptIds === promptIds)
            .map(part => part.responses),
        ).toEqual([responses]);
      passes.slice(1).forEach((parts, i) => {
        const [next, last] = [parts[0]!, passes[i]!.at(-1)!];
        const whole = groups.find(g => g.promptIds === next.promptIds)!;
        const continues = last.promptIds === next.promptIds;
        // What would have come into the pass before: a response of the same group, a group that fits a pass, or the
        // first response of one that does not and so always opens a pass.
        const added = continues ? next.responses[0]!.length : streamTokens(whole);
        expect(passTokens(passes[i]!) + added).toBeGreaterThan(budget);
      });
    }
  });

  test('a large budget keeps large groups whole, and does not fill passes with small ones', () => {
    const groups = [
      group(random, 3000, [20]),
      group(random, 9000, [10, 10]),
      ...Array(3).fill(group(random, 1300, [40])),
    ];
    const passes = splitPasses(groups, 16_384).map(parts => parts.map(part => part.promptIds.length));
    expect(passes).toEqual([[3000], [9000], [1300, 1300, 1300]]);
  });

  test('the split depends on lengths and budget alone', () => {
    const shape = (passes: GroupPart[][]) => passes.map(parts => parts.map(part => part.offsets));
    for (const { groups, budget } of batches.slice(0, 50)) {
      const others = groups.map(g =>
        group(
          random,
          g.promptIds.length,
          g.responses.map(r => r.length),
        ),
      );
      expect(splitPasses(groups, budget)).toEqual(splitPasses(groups, budget));
      expect(shape(splitPasses(others, budget))).toEqual(shape(splitPasses(groups, budget)));
    }
  });
});

describe('pack', () => {
  const integers = (tensor: { data: unknown }): number[] => [...(tensor.data as BigInt64Array)].map(Number);

  test('every predicting row holds the token before its target, at its place in the sequence', () => {
    const random = randomStream('rows');
    const groups = [group(random, 5, [3, 1, 4]), group(random, 1, [2, 6]), group(random, 9, [1])];
    const [parts] = splitPasses(groups, 1000);
    const batch = pack(parts!, ['query']);
    const { rows, targets } = batch;
    const positions = integers(batch.feeds.positions!);
    const wanted = groups.flatMap(({ promptIds, responses }) =>
      responses.flatMap(response =>
        response.map((target, i) => {
          const sequence = [...promptIds, ...response];
          return { target, before: sequence[promptIds.length + i - 1], position: promptIds.length + i - 1 };
        }),
      ),
    );
    expect(rows.map((row, i) => ({ target: targets[i], before: batch.ids[row], position: positions[row] }))).toEqual(
      wanted,
    );
    expect(new Set(rows).size).toBe(rows.length);
    expect(batch.tokenIndex).toEqual(wanted.map((_, i) => i));
    // Prompts once, but for their last tokens, which every response repeats: 4 + 8, 0 + 8, 8 + 1.
    expect(batch.ids).toHaveLength(128);
    expect([...batch.ids.slice(29)].every(id => id === 0)).toBe(true);
    expect(batch.positions).toBe(9);
  });

  test.each([
    [1, 128, 128, 128],
    [127, 128, 128, 128],
    [128, 128, 128, 128],
    [129, 144, 256, 128],
    [384, 384, 384, 128],
    [1024, 1024, 1024, 256],
    [5000, 5008, 5120, 512],
  ])('a stream of %d tokens is %d rows, and for attention %d in tiles of %d', (tokens, rows, places, tile) => {
    const batch = pack([{ promptIds: [1], responses: [new Array<number>(tokens).fill(2)], offsets: [0] }], ['query']);
    const { place_of_row: placeOf, row_of_place: rowOf, positions } = batch.feeds;
    expect([batch.ids.length, placeOf!.dims, positions!.dims]).toEqual([rows, [rows], [rows, 1]]);
    expect([rowOf!.dims, batch.tile]).toEqual([[places], tile]);
  });
});

describe('a group packed behind one prompt gives what its sequences give apart', () => {
  let folder: ModelFolder;
  let trainer: Trainer;
  beforeAll(async () => {
    folder = await readModelFolder(goldenFolder('qwen3'));
    trainer = new Trainer(folder.config, new RotaryTable(folder.config), { threads: 2 });
  });
  afterAll(() => trainer.release());

  const gradient = (groups: readonly PromptGroup[], weights: Float32Array, microBatchTokens: number) =>
    trainer.gradient(
      'likelihood',
      folder.tensors,
      groups,
      { perToken: { weights }, scalars: {} },
      { temperature: 0.8, microBatchTokens, checkpoint: async () => {} },
    );

  /** Every sequence from its first token on, one a pass; tokens of the prompt weigh nothing. */
  async function apart(groups: readonly PromptGroup[], weights: Float32Array) {
    const sequences = groups.flatMap(g => g.responses.map(response => ({ prompt: g.promptIds, response })));
    let next = 0;
    const spread = sequences.flatMap(({ prompt, response }) => [
      ...new Array<number>(prompt.length - 1).fill(0),
      ...response.map(() => weights[next++]!),
    ]);
    const full = sequences.map(({ prompt, response }) => ({
      promptIds: [prompt[0]!],
      responses: [[...prompt.slice(1), ...response]],
    }));
    const result = await gradient(full, Float32Array.from(spread), 1);
    let at = 0;
    const kept = (values: Float32Array): number[] => {
      at = 0;
      return sequences.flatMap(({ prompt, response }) => {
        at += prompt.length - 1 + response.length;
        return [...values.slice(at - response.length, at)];
      });
    };
    return { ...result, logprobs: kept(result.logprobs), entropies: kept(result.entropies) };
  }

  const largest = (got: ArrayLike<number>, want: ArrayLike<number>): number =>
    Array.from(want).reduce((max, x, i) => Math.max(max, Math.abs(x - got[i]!)), 0);

  function expectSameGradients(got: Tensors, want: Tensors): void {
    for (const [name, { data }] of want) {
      const difference = norm(data.map((x, i) => x - got.get(name)!.data[i]!));
      expect([name, difference / norm(data) < 1e-5 ? 'same' : difference / norm(data)]).toEqual([name, 'same']);
    }
  }

  async function expectSame(groups: readonly PromptGroup[], microBatchTokens = 4096): Promise<void> {
    const count = groups.reduce((n, g) => n + g.responses.reduce((m, r) => m + r.length, 0), 0);
    const weights = randomFloats('weights', count, 0.2, 1);
    const [got, want] = [await gradient(groups, weights, microBatchTokens), await apart(groups, weights)];
    expect(got.logprobs).toHaveLength(count);
    expect(want.logprobs).toHaveLength(count);
    expect(largest(got.logprobs, want.logprobs)).toBeLessThan(1e-5);
    expect(largest(got.entropies, want.entropies)).toBeLessThan(1e-5);
    expectSameGradients(got.gradients, want.gradients);
  }

  test.each<[string, number, number[]]>([
    ['a prompt of one token', 1, [5, 1, 17]],
    ['a prompt of two tokens', 2, [1, 1]],
    ['responses of one token', 40, [1, 1, 1, 1]],
    ['a prompt that fills a tile', 129, [20, 30]],
    ['a stream of 127 tokens', 60, [30, 1, 37]],
    ['a stream of 128 tokens', 61, [30, 1, 37]],
    ['a stream of 129 tokens', 62, [30, 1, 37]],
    ['a stream of 1024 tokens', 513, [128, 255, 129]],
    ['a stream of 1025 tokens', 513, [128, 256, 129]],
  ])('%s', async (title, prompt, responses) => {
    const stream = prompt - 1 + responses.reduce((a, b) => a + b, 0);
    const named = /stream of (\d+)/.exec(title);
    if (named) expect(stream).toBe(Number(named[1]));
    await expectSame([group(randomStream(title), prompt, responses)]);
  });

  test('several groups of random shapes in one pass, and torn over several', async () => {
    const random = randomStream('shapes');
    const groups = Array.from({ length: 5 }, (_, i) =>
      group(
        random,
        i === 2 ? 1 : between(random, 2, 150),
        Array.from({ length: between(random, 1, 4) }, () => between(random, 1, 60)),
      ),
    );
    await expectSame(groups);
    await expectSame(groups, 100);
  });
});
