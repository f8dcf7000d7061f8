/** Sums of many terms: the same bits whatever the number of threads, and rowwise ones whatever other rows there are. */
import { product, rowwiseProduct, splitByRows } from '../../../../activities/engine/autodiff/product';
import { Graph, type Value } from '../../../../activities/engine/graph/graph';
import { CompiledGraph, floatData, floats } from '../../../../activities/engine/graph/session';
import { randomFloats } from '../../../support/graphs';

const THREADS = [1, 2, 3, 4, 8, 16];
const ROWS = [2, 3, 8, 64, 200, 256];

/** Terms and columns. */
const SHAPES = [
  [344, 128],
  [344, 33],
  [576, 344],
  [1536, 576],
  [576, 1536],
  [128, 344],
] as const;

type Multiply = (g: Graph, x: Value, w: Value) => Value;

/** The results' bytes for each number of rows, the first of 256. */
async function results(multiply: Multiply, terms: number, weights: readonly [number, number], threads: number) {
  const g = new Graph('product');
  g.output('y', multiply(g, g.input('x', 'float32', ['rows', terms]), g.input('w', 'float32', weights)));
  const compiled = await CompiledGraph.compile(g, { threads });
  const all = randomFloats('rows', 256 * terms);
  const w = floats(randomFloats('weights', weights[0] * weights[1]), weights);
  const bytes: Buffer[] = [];
  for (const rows of ROWS) {
    const y = floatData(await compiled.run({ x: floats(all.subarray(0, rows * terms), [rows, terms]), w }), 'y');
    bytes.push(Buffer.from(y.buffer, y.byteOffset, y.byteLength));
  }
  await compiled.release();
  return bytes;
}

/** The numbers of rows for which the results differ from those on one thread. */
async function differing(multiply: Multiply, terms: number, weights: readonly [number, number]): Promise<string[]> {
  const [alone, ...others] = await Promise.all(THREADS.map(threads => results(multiply, terms, weights, threads)));
  return others.flatMap((bytes, i) =>
    bytes.flatMap((b, r) => (b.equals(alone![r]!) ? [] : [`${ROWS[r]} rows on ${THREADS[i + 1]} threads`])),
  );
}

test.each(SHAPES)('%i terms, %i columns', async (terms, columns) => {
  const fixed: [string, Multiply, readonly [number, number]][] = [
    ['rowwise', (g, x, w) => rowwiseProduct(g, x, w), [columns, terms]],
    ['forward', (g, x, w) => product(g, x, w), [columns, terms]],
    ['backward', (g, x, w) => splitByRows(g, x, w, 0), [terms, columns]],
  ];
  for (const [name, multiply, weights] of fixed)
    expect({ [name]: await differing(multiply, terms, weights) }).toEqual({ [name]: [] });
});

test.each(SHAPES)(
  '%i terms, %i columns: a rowwise product gives a row the same bits beside any others',
  async (terms, columns) => {
    const bytes = await results(rowwiseProduct, terms, [columns, terms], 2);
    const whole = bytes.at(-1)!;
    for (const part of bytes) expect(part.equals(whole.subarray(0, part.length))).toBe(true);
  },
);

// Where this fails, onnxruntime sums in another way than product.ts is made for.
test('products as onnxruntime has them do depend on the number of threads', async () => {
  const plain: Multiply = (g, x, w) => g.op('Gemm', [x, w], { transB: 1 });
  expect(await differing(plain, 344, [128, 344])).not.toEqual([]);
});
