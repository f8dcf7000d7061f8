/** The head block by block against the head over all rows at once, and against differences. */
import { gradients } from '../../../../activities/engine/autodiff/gradients';
import { tokenLogprobs } from '../../../../activities/engine/autodiff/logprobs';
import type { Graph, Value } from '../../../../activities/engine/graph/graph';
import { type Feeds, floatData, floatScalar, floats, integers } from '../../../../activities/engine/graph/session';
import { randomStream, shuffled } from '../../../../activities/engine/random';
import { HeadBlocks, lossOfRows, rowsPerBlock, scoreRows } from '../../../../activities/engine/training/head';
import { TOKEN_LOSSES } from '../../../../activities/engine/training/losses';
import { evaluate, randomFloats } from '../../../support/graphs';

const [STREAM, HIDDEN, VOCABULARY] = [70, 12, 37];
const random = randomStream('head');
// Not every position of the stream predicts, and not in a number that blocks divide.
const rows = shuffled([...Array(STREAM).keys()], random).slice(0, 53);
const targets = rows.map(() => random.below(VOCABULARY));
const loss = TOKEN_LOSSES.clipped;
const RANGES: Record<string, [number, number]> = { weights: [0, 1], advantages: [-1, 1] };
const perToken = Object.fromEntries(
  loss.perToken.map(name => [name, randomFloats(name, rows.length, ...(RANGES[name] ?? [-4, -3]))]),
);
const model = {
  hidden: floats(randomFloats('hidden', STREAM * HIDDEN), [STREAM, HIDDEN]),
  weight: floats(randomFloats('weight', VOCABULARY * HIDDEN), [VOCABULARY, HIDDEN]),
  inverse_temperature: floatScalar(1.4),
  ratio_low: floatScalar(0.8),
  ratio_high: floatScalar(1.2),
};
const head = (g: Graph) => ({
  hidden: g.input('hidden', 'float32', [STREAM, HIDDEN]),
  weight: g.input('weight', 'float32', [VOCABULARY, HIDDEN]),
  inverseTemperature: g.input('inverse_temperature', 'float32', []),
});

/** Everything at once, by the tape alone. */
function plain(): Promise<Feeds> {
  return evaluate(
    g => {
      const { hidden, weight, inverseTemperature } = head(g);
      const chosen = g.op('Gather', [hidden, g.input('rows', 'int64', ['rows'])], { axis: 0 });
      const results = tokenLogprobs(g, chosen, weight, g.input('targets', 'int64', ['rows']), inverseTemperature);
      const fed = new Map<string, Value>([
        ...loss.perToken.map(name => [name, g.input(name, 'float32', ['rows'])] as const),
        ...loss.scalars.map(name => [name, g.input(name, 'float32', [])] as const),
      ]);
      const [gradHidden, gradHead] = gradients(
        g,
        loss.build(g, results.logprobs, name => fed.get(name)!),
        [hidden, weight],
      );
      return { ...results, gradHidden: gradHidden!, gradHead: gradHead! };
    },
    {
      ...model,
      rows: integers(rows, [rows.length]),
      targets: integers(targets, [targets.length]),
      ...Object.fromEntries(Object.entries(perToken).map(([name, data]) => [name, floats(data, [data.length])])),
    },
  );
}

function inBlocks(perBlock: number, trainHead = true): Promise<Feeds> {
  const blocks = new HeadBlocks(rows, perBlock);
  return evaluate(
    g => {
      const { logprobs, entropies, gradients } = lossOfRows(g, head(g), loss, trainHead);
      return {
        logprobs,
        entropies,
        gradHidden: gradients.hidden,
        ...(gradients.weight && { gradHead: gradients.weight }),
      };
    },
    {
      ...model,
      ...blocks.feeds(targets),
      ...Object.fromEntries(Object.entries(perToken).map(([name, data]) => [name, blocks.floats(data)])),
    },
  );
}

const first = (feeds: Feeds, name: string): number[] => [...floatData(feeds, name).slice(0, rows.length)];

test.each([1, 2, 7, 26, 27, 52, 53, 1000])('blocks of at most %d rows give what all rows give', async perBlock => {
  const [whole, cut] = await Promise.all([plain(), inBlocks(perBlock)]);
  expect(first(cut, 'logprobs')).toEqual(first(whole, 'logprobs'));
  // onnxruntime's ReduceSum takes another order for another number of rows.
  first(cut, 'entropies').forEach((value, i) => {
    expect(Math.abs(value - first(whole, 'entropies')[i]!)).toBeLessThan(1e-5);
  });
  // The hidden states' gradient has one source a row; the head's is summed over blocks.
  expect([...floatData(cut, 'gradHidden')]).toEqual([...floatData(whole, 'gradHidden')]);
  const expected = floatData(whole, 'gradHead');
  floatData(cut, 'gradHead').forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5);
  });
});

test('scoring alone gives the same log-probabilities, and a head that is not trained has no gradient', async () => {
  const blocks = new HeadBlocks(rows, 20);
  const { hidden, weight, inverse_temperature } = model;
  const scored = await evaluate(g => ({ ...scoreRows(g, head(g)) }), {
    ...{ hidden, weight, inverse_temperature },
    ...blocks.feeds(targets),
  });
  const trained = await inBlocks(20, false);
  expect(first(scored, 'logprobs')).toEqual(first(trained, 'logprobs'));
  expect(trained.gradHead).toBeUndefined();
  expect([...floatData(trained, 'gradHidden')]).toEqual([...floatData(await inBlocks(20), 'gradHidden')]);
});

test('a block of logits is bounded whatever the vocabulary', () => {
  for (const vocabulary of [250, 49_152, 152_064]) {
    expect(rowsPerBlock(vocabulary) * vocabulary * 4).toBeLessThanOrEqual(64 * 2 ** 20);
    expect(rowsPerBlock(vocabulary)).toBeGreaterThan(100);
  }
});
