/** Every rule of the table of gradients against central differences of the forward graph. */
import { attention, attentionInputs } from '../../../../activities/engine/autodiff/attention';
import type { HeadLayout } from '../../../../activities/engine/autodiff/attention-rows';
import { GRADIENTS, gradients } from '../../../../activities/engine/autodiff/gradients';
import { tokenLogprobs } from '../../../../activities/engine/autodiff/logprobs';
import { product } from '../../../../activities/engine/autodiff/product';
import { stopGradient } from '../../../../activities/engine/autodiff/stop-gradient';
import type { Dim } from '../../../../activities/engine/graph/dims';
import { Graph, type Value } from '../../../../activities/engine/graph/graph';
import type { Attributes, ElementType } from '../../../../activities/engine/graph/onnx';
import {
  bools,
  CompiledGraph,
  type Feeds,
  floatData,
  floatScalar,
  floats,
  integers,
} from '../../../../activities/engine/graph/session';
import { attentionFeeds, placeRows } from '../../../../activities/engine/model/places';
import { randomStream } from '../../../../activities/engine/random';
import { elements, evaluate, randomFloats } from '../../../support/graphs';
import { plain, type Stream, sharedPrompt } from '../../../support/streams';

interface Input {
  type: ElementType;
  shape: readonly number[];
  /** As declared to the graph, where that is not in numbers. */
  declared?: readonly Dim[];
  data: readonly number[];
  /** Whether its gradient is checked. */
  checked: boolean;
}

interface Case {
  title: string;
  inputs: Input[];
  build(g: Graph, ...values: Value[]): Value | Value[];
  /** Of inputs that `build` declares itself. */
  feeds: Feeds;
}

let inputCount = 0;

/** Random numbers; operators with kinks or poles choose a range clear of them. */
function x(shape: readonly number[], low = -1, high = 1, declared?: readonly Dim[]): Input {
  inputCount += 1;
  const data = [...randomFloats(`input ${inputCount}`, elements(shape), low, high)];
  return { type: 'float32', shape, data, checked: true, ...(declared && { declared }) };
}

const fixed = (input: Input): Input => ({ ...input, checked: false });
const symbolic = (shape: readonly number[], declared: readonly Dim[]): Input => x(shape, -1, 1, declared);
const ints = (shape: readonly number[], data: readonly number[]): Input => ({
  type: 'int64',
  shape,
  data,
  checked: false,
});
const flags = (data: readonly boolean[]): Input => ({
  type: 'bool',
  shape: [data.length],
  data: data.map(Number),
  checked: false,
});

function of(title: string, inputs: Input[], build: Case['build'], feeds: Feeds = {}): Case {
  return { title, inputs, build, feeds };
}

const unary = (operator: string, low: number, high: number, attributes: Attributes = {}): Case[] => [
  of('elementwise', [x([2, 3], low, high)], (g, a) => g.op(operator, [a], attributes)),
  of('of rank 0', [x([], low, high)], (g, a) => g.op(operator, [a], attributes)),
];

/** Both sides broadcast, in turn and together. */
const binary = (operator: string, a: [number, number], b: [number, number]): Case[] =>
  (
    [
      ['of equal shapes', [2, 3], [2, 3]],
      ['with the right side broadcast along a leading axis', [2, 3], [3]],
      ['with the left side broadcast along a leading axis', [3], [2, 3]],
      ['with an inner axis of one on the right', [2, 3, 2], [2, 1, 2]],
      ['with both sides broadcast', [2, 1, 3], [4, 1]],
      ['with a scalar on the right', [2, 2], []],
      ['with a scalar on the left', [], [2, 2]],
    ] as const
  ).map(([title, left, right]) => of(title, [x(left, ...a), x(right, ...b)], (g, l, r) => g.op(operator, [l, r])));

/** Now one side wins and now the other, neither near the step between them. */
const choosing = (operator: string): Case[] =>
  binary(operator, [-0.2, 0.2], [0.4, 1]).map(subject => ({
    ...subject,
    inputs: subject.inputs.map((input, side) => ({
      ...input,
      data: input.data.map((v, i) => (side === 1 && i % 2 === 1 ? -v : v)),
    })),
  }));

const FLAGS = [0, 1];

/** All ways to store the operands of [2, 3] times [3, 4]. */
const products = (operator: string): Case[] =>
  FLAGS.flatMap(transA => FLAGS.map(transB => [transA, transB] as const)).flatMap(([transA, transB]) => {
    const shapes = [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4]];
    return [undefined, { float: -0.7 }].map(alpha =>
      of(
        `transA ${transA}, transB ${transB}, alpha ${alpha?.float ?? 'unset'}`,
        shapes.map(shape => x(shape)),
        (g, a, b) => g.op(operator, [a, b], { transA, transB, ...(alpha && { alpha }) }),
      ),
    );
  });

const STREAMS: Record<string, Stream> = {
  'one causal sequence': { length: 32, segments: [plain(0, 32)] },
  'several sequences and padding': { length: 32, segments: [plain(0, 5), plain(5, 22), plain(22, 23), plain(23, 32)] },
  'a shared prompt and padding': { length: 48, segments: [...sharedPrompt(0, 19, [7, 1, 12]), plain(39, 48)] },
  'two groups, one without a prefix': {
    length: 32,
    segments: [...sharedPrompt(0, 9, [4, 4]), ...sharedPrompt(17, 0, [6, 9])],
  },
};

const attentionCases = Object.entries(STREAMS).flatMap(([title, { length, segments }]) =>
  (
    [
      [1, 1, 8],
      [2, 1, 16],
      [1, 3, 16],
      [2, 3, 8],
    ] as const
  ).map(([kvHeads, repeats, tile]) => {
    const layout: HeadLayout = { kvHeads, repeats, headDim: 4, tile };
    const [wide, narrow] = [kvHeads * repeats * 4, kvHeads * 4];
    return of(
      `${title}: ${kvHeads} key-value heads, ${repeats} queries to each, tiles of ${tile}`,
      [wide, narrow, narrow].map(width => symbolic([length, width], ['T', width])),
      (g, q, k, v) => attention(g, q, k, v, attentionInputs(g, layout), layout),
      attentionFeeds(placeRows(segments, length, tile, 1 / 4), ['query', 'key']),
    );
  }),
);

const rotary = (interleaved: number): Case =>
  of(
    interleaved ? 'interleaved' : 'by halves',
    [x([3, 1, 8]), ints([3, 1], [4, 0, 2]), fixed(x([5, 2])), fixed(x([5, 2]))],
    (g, a, positions, cosine, sine) => g.op('RotaryEmbedding', [a, positions, cosine, sine], { interleaved }),
  );

const norm = (shape: number[]): Case =>
  of(`over the last axis of ${shape.length}`, [x(shape), x([shape.at(-1)!])], (g, a, scale) =>
    g.op('SimplifiedLayerNormalization', [a, scale], { axis: -1, epsilon: { float: 0.1 }, stash_type: 1 }),
  );

const reduction = (axes: number[], keep: boolean): Case =>
  of(`over ${axes}, ${keep ? 'kept' : 'dropped'}`, [x([2, 3, 2])], (g, a) => g.sum(a, axes, keep));

const CASES: Record<string, Case[]> = {
  Identity: unary('Identity', -1, 1),
  Neg: unary('Neg', -1, 1),
  Exp: unary('Exp', -1, 1),
  Sqrt: unary('Sqrt', 1, 2),
  Reciprocal: [...unary('Reciprocal', 1, 2), ...unary('Reciprocal', -2, -1)],
  QuickGelu: [1, 1.7, -0.5].flatMap(alpha =>
    unary('QuickGelu', -3, 3, { alpha: { float: alpha } }).map(one => ({
      ...one,
      title: `${one.title}, alpha ${alpha}`,
    })),
  ),
  Add: binary('Add', [-1, 1], [-1, 1]),
  Sub: binary('Sub', [-1, 1], [-1, 1]),
  Mul: binary('Mul', [-1, 1], [-1, 1]),
  Div: binary('Div', [-1, 1], [1, 2]),
  Min: choosing('Min'),
  Max: choosing('Max'),
  Where: [
    of('of equal shapes', [flags([true, false, true]), x([3]), x([3])], (g, c, a, b) => g.op('Where', [c, a, b])),
    of('all broadcast', [flags([true, false, true]), x([2, 1]), x([])], (g, c, a, b) => g.op('Where', [c, a, b])),
    of('a scalar first', [flags([true, false, true]), x([]), x([2, 3])], (g, c, a, b) => g.op('Where', [c, a, b])),
  ],
  ReduceSum: [[0], [-1], [1], [0, 2], [0, 1, 2]].flatMap(axes => [reduction(axes, true), reduction(axes, false)]),
  MatMul: [
    of('matrices', [x([2, 3]), x([3, 4])], (g, a, b) => g.op('MatMul', [a, b])),
    of('a shared right side', [x([2, 2, 3]), x([3, 4])], (g, a, b) => g.op('MatMul', [a, b])),
    of('a shared left side', [x([2, 3]), x([2, 3, 4])], (g, a, b) => g.op('MatMul', [a, b])),
    of('both sides broadcast', [x([2, 1, 2, 3]), x([1, 2, 3, 2])], (g, a, b) => g.op('MatMul', [a, b])),
    of('of a symbolic length', [symbolic([4, 3], ['T', 3]), x([3, 2])], (g, a, b) => g.op('MatMul', [a, b])),
  ],
  Gemm: [
    ...products('Gemm'),
    ...[[4], [1, 4], [2, 1], [2, 4]].map(shape =>
      of(`plus a bias [${shape}]`, [x([2, 3]), x([4, 3]), x(shape)], (g, a, b, c) =>
        g.op('Gemm', [a, b, c], { transB: 1, alpha: { float: 0.5 } }),
      ),
    ),
  ],
  FusedMatMul: [
    ...products('FusedMatMul'),
    of('batched, the left side shared', [x([1, 3, 2]), x([2, 4, 3])], (g, a, b) =>
      g.op('FusedMatMul', [a, b], { transA: 1, transB: 1 }),
    ),
    of('batched, the right side of lower rank', [x([2, 2, 3]), x([4, 3])], (g, a, b) =>
      g.op('FusedMatMul', [a, b], { transA: 0, transB: 1 }),
    ),
  ],
  Product: [
    of('of few terms', [x([2, 3]), x([4, 3])], (g, a, b) => product(g, a, b)),
    of('of few terms, plus a bias', [x([2, 3]), x([4, 3]), x([4])], (g, a, b, c) => product(g, a, b, c)),
    of('of many terms, few rows', [x([2, 133]), x([131, 133]), x([131])], (g, a, b, c) => product(g, a, b, c)),
    of('of many terms, few columns', [x([3, 133]), x([2, 133]), x([2])], (g, a, b, c) => product(g, a, b, c)),
    of('whose gradient is of many terms', [x([4, 3]), x([133, 3])], (g, a, b) => product(g, a, b)),
  ],
  Transpose: [
    of('a rotation of axes', [x([2, 3, 4])], (g, a) => g.op('Transpose', [a], { perm: [2, 0, 1] })),
    of('an exchange', [x([2, 3])], (g, a) => g.op('Transpose', [a], { perm: [1, 0] })),
  ],
  Reshape: [
    of('to numbers', [x([2, 6])], (g, a) => g.reshape(a, [3, 4])),
    of('of a symbolic length', [symbolic([4, 6], ['T', 6])], (g, a) => g.reshape(a, ['T', 3, 2])),
    of('that splits a symbolic length', [symbolic([8, 2], ['T', 2])], (g, a) => g.reshape(a, [-1, 4, 2])),
  ],
  Expand: [
    of('of an axis of one', [x([2, 1])], (g, a) => g.op('Expand', [a, g.ints([2, 3])])),
    of('by a leading axis', [x([3])], (g, a) => g.op('Expand', [a, g.ints([2, 3])])),
  ],
  Split: [
    of('all parts used', [x([2, 6])], (g, a) => g.ops('Split', [a], { axis: -1, num_outputs: 3 })),
    of('a part unused', [x([4, 2])], (g, a) => [g.ops('Split', [a], { axis: 0, num_outputs: 2 })[1]!]),
  ],
  Concat: [
    of('along the first axis', [x([1, 2]), x([3, 2])], (g, a, b) => g.op('Concat', [a, b], { axis: 0 })),
    of('along the last axis', [x([2, 1]), x([2, 3]), x([2, 2])], (g, ...parts) => g.op('Concat', parts, { axis: -1 })),
    of('of one value twice', [x([2, 2])], (g, a) => g.op('Concat', [a, a], { axis: 1 })),
  ],
  Gather: [
    of('of unique rows', [x([5, 2]), ints([3], [4, 0, 2])], (g, a, rows) => g.op('Gather', [a, rows], { axis: 0 })),
    of('of a table of rows', [x([5, 2]), ints([2, 2], [4, 0, 2, 1])], (g, a, rows) => g.op('Gather', [a, rows])),
    of('of one row', [x([3, 2]), ints([], [1])], (g, a, row) => g.op('Gather', [a, row])),
  ],
  GatherElements: [
    of('one a row', [x([3, 4]), ints([3, 1], [3, 0, 3])], (g, a, i) => g.op('GatherElements', [a, i], { axis: 1 })),
    of('repeated', [x([2, 3]), ints([2, 3], [1, 1, 0, 2, 2, 2])], (g, a, i) =>
      g.op('GatherElements', [a, i], { axis: -1 }),
    ),
    of('along the first axis', [x([3, 2]), ints([2, 2], [2, 0, 2, 1])], (g, a, i) => g.op('GatherElements', [a, i])),
  ],
  SimplifiedLayerNormalization: [norm([3, 4]), norm([2, 2, 4])],
  RotaryEmbedding: [rotary(0), rotary(1)],
  Attention: attentionCases,
  TokenLogprobs: [1, 0.7].map(temperature =>
    of(
      `at temperature ${temperature}`,
      [symbolic([4, 3], ['rows', 3]), x([5, 3]), { ...ints([4], [2, 0, 2, 4]), declared: ['rows'] }],
      (g, hidden, head, targets) =>
        tokenLogprobs(g, hidden, head, targets, g.input('inverse_temperature', 'float32', [])).logprobs,
      { inverse_temperature: floatScalar(1 / temperature) },
    ),
  ),
};

/** Uses of one value whose gradients must be added up. */
const ACCUMULATIONS: Case[] = [
  of('both operands', [x([2, 3])], (g, a) => g.op('Mul', [a, a])),
  of('both operands of a product', [x([3, 3])], (g, a) => g.op('Gemm', [a, a], { transB: 1 })),
  of('three uses, one through a chain', [x([2, 3]), x([3])], (g, a, b) => {
    const e = g.op('Exp', [a]);
    return g.op('Add', [g.op('Mul', [e, a]), g.op('Sub', [g.op('Mul', [e, b]), a])]);
  }),
  of('parts of one split', [x([2, 4])], (g, a) => {
    const [left, right] = g.ops('Split', [a], { axis: 1, num_outputs: 2 });
    return g.op('Mul', [left!, right!]);
  }),
];

const STEP = 0.03;
const TOLERANCE = 1e-4;

const declare = (g: Graph, inputs: readonly Input[]): Value[] =>
  inputs.map(({ type, shape, declared }, i) => g.input(`x${i}`, type, declared ?? shape));

const listed = <T>(values: T | T[]): T[] => (Array.isArray(values) ? values : [values]);

const TENSORS: Record<ElementType, (data: readonly number[], shape: readonly number[]) => Feeds[string]> = {
  float32: (data, shape) => floats(Float32Array.from(data), shape),
  int64: integers,
  bool: data => bools(data.map(Boolean)),
};

const feedsOf = (inputs: readonly Input[]): Feeds =>
  Object.fromEntries(inputs.map(({ type, shape, data }, i) => [`x${i}`, TENSORS[type](data, shape)]));

/** The weights of the loss, one for each element of each output. */
const lossWeights = (output: number, length: number): Float32Array => randomFloats(`loss ${output}`, length, 0.5, 1.5);

/** Every element where there are few, else a choice of them, and directions through all of them. */
function directions(length: number): Float32Array[] {
  const random = randomStream('directions', length);
  const unit = (at: number): Float32Array => new Float32Array(length).fill(1, at, at + 1);
  if (length <= 24) return Array.from({ length }, (_, i) => unit(i));
  const some = Array.from({ length: 12 }, () => unit(random.below(length)));
  const through = Array.from({ length: 4 }, (_, i) => randomFloats(`direction ${i}`, length));
  // Longer than a unit: a change of many small outputs must stand out from their rounding.
  const lengthened = (d: Float32Array): Float32Array => {
    const norm = Math.hypot(...d);
    return d.map(v => (10 * v) / norm);
  };
  return [...some, ...through.map(lengthened)];
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** The graph whose results are the case's outputs, y0, y1, …. */
function outputsOf({ inputs, build }: Case): { g: Graph; values: Value[]; outputs: Value[] } {
  const g = new Graph('case');
  const values = declare(g, inputs);
  return { g, values, outputs: listed(build(g, ...values)) };
}

/** Weighted sum of all elements of all outputs, as part of the graph; the weights are inputs w0, w1, …. */
function weightedSum(g: Graph, outputs: readonly Value[]): Value {
  const sums = outputs.map((y, i) => {
    const axes = y.shape.map((_, axis) => axis);
    const product = g.op('Mul', [y, g.input(`w${i}`, 'float32', y.shape)]);
    return axes.length > 0 ? g.sum(product, axes, false) : product;
  });
  return sums.reduce((a, b) => g.op('Add', [a, b]));
}

/** A compiled graph takes no feed it does not know; a case's feeds serve its forward and its backward graph. */
const run = (compiled: CompiledGraph, feeds: Feeds): Promise<Feeds> =>
  compiled.run(Object.fromEntries(compiled.inputNames.map(name => [name, feeds[name]!])));

/** Results of the forward graph, and the loss they give in 64 bits. */
class Forward {
  private constructor(
    private readonly compiled: CompiledGraph,
    private readonly subject: Case,
    private readonly count: number,
  ) {}

  static async of(subject: Case): Promise<Forward> {
    const { g, outputs } = outputsOf(subject);
    outputs.forEach((y, i) => {
      g.output(`y${i}`, y);
    });
    return new Forward(await CompiledGraph.compile(g, { threads: 1 }), subject, outputs.length);
  }

  async outputs(inputs: readonly Input[] = this.subject.inputs): Promise<Feeds[string][]> {
    const results = await run(this.compiled, { ...feedsOf(inputs), ...this.subject.feeds });
    return Array.from({ length: this.count }, (_, i) => results[`y${i}`]!);
  }

  /** The loss's derivative along a direction of input `at`, to fourth order. */
  async slope(at: number, direction: Float32Array): Promise<number> {
    const loss = async (distance: number): Promise<number> => {
      const moved = this.subject.inputs.map((input, i) =>
        i === at ? { ...input, data: input.data.map((v, j) => v + distance * direction[j]!) } : input,
      );
      const outputs = await this.outputs(moved);
      return outputs.reduce((sum, { data }, i) => sum + dot(lossWeights(i, data.length), data as Float32Array), 0);
    };
    const near = (await loss(STEP)) - (await loss(-STEP));
    const far = (await loss(2 * STEP)) - (await loss(-2 * STEP));
    return (8 * near - far) / (12 * STEP);
  }

  release(): Promise<void> {
    return this.compiled.release();
  }
}

/** Gradients of the checked inputs: asked for together, and each for itself. */
async function backward(subject: Case, shapes: readonly (readonly number[])[]) {
  const { g, values, outputs } = outputsOf(subject);
  const loss = weightedSum(g, outputs);
  const wanted = values.filter((_, i) => subject.inputs[i]!.checked);
  gradients(g, loss, wanted).forEach((gradient, i) => {
    g.output(`together ${i}`, gradient);
  });
  wanted.forEach((value, i) => {
    g.output(`alone ${i}`, gradients(g, loss, [value])[0]!);
  });
  const compiled = await CompiledGraph.compile(g, { threads: 1 });
  const weights = shapes.map((shape, i) => [`w${i}`, floats(lossWeights(i, elements(shape)), shape)]);
  const results = await run(compiled, {
    ...feedsOf(subject.inputs),
    ...subject.feeds,
    ...Object.fromEntries(weights),
  });
  await compiled.release();
  const all = (kind: string): Feeds[string][] => wanted.map((_, i) => results[`${kind} ${i}`]!);
  return { together: all('together'), alone: all('alone') };
}

async function expectGradients(subject: Case): Promise<void> {
  const forward = await Forward.of(subject);
  const shapes = (await forward.outputs()).map(y => y.dims);
  const { together, alone } = await backward(subject, shapes);
  const checked = subject.inputs.flatMap((input, i) => (input.checked ? [{ input, i }] : []));
  for (const [k, { input, i }] of checked.entries()) {
    const gradient = together[k]!;
    expect(gradient.dims).toEqual(input.shape);
    expect(alone[k]!.data).toEqual(gradient.data);
    const along = directions(input.data.length);
    const slopes: number[] = [];
    for (const direction of along) slopes.push(await forward.slope(i, direction));
    const scale = slopes.reduce((max, s) => Math.max(max, Math.abs(s)), 0.1);
    slopes.forEach((slope, d) => {
      const found = dot(along[d]!, gradient.data as Float32Array);
      const close = Math.abs(found - slope) <= TOLERANCE * scale;
      expect(close ? 'close' : `input ${i}, direction ${d}: ${found} instead of ${slope}`).toBe('close');
    });
  }
  await forward.release();
}

test('every rule has a case, but the one that differences must contradict', () => {
  expect([...Object.keys(CASES), 'StopGradient'].sort()).toEqual(Object.keys(GRADIENTS).sort());
});

describe.each(Object.entries(CASES))('%s', (operator, cases) => {
  test.each(cases.map(subject => [subject.title, subject] as const))('%s', async (_title, subject) => {
    expect(outputsOf(subject).g.tape.map(entry => entry.operator)).toContain(operator);
    await expectGradients(subject);
  });
});

describe('a value used more than once gets the sum of its gradients', () => {
  test.each(ACCUMULATIONS.map(subject => [subject.title, subject] as const))('%s', (_title, subject) =>
    expectGradients(subject),
  );
});

test('where both sides of Min and Max are equal the first takes the gradient', async () => {
  for (const operator of ['Min', 'Max']) {
    const results = await evaluate(
      g => {
        const [a, b] = [g.input('a', 'float32', [2]), g.input('b', 'float32', [2])];
        const [da, db] = gradients(g, g.sum(g.op(operator, [a, b]), [0], false), [a, b]);
        return { da: da!, db: db! };
      },
      { a: floats(Float32Array.of(3, 4), [2]), b: floats(Float32Array.of(3, 4), [2]) },
    );
    expect([...floatData(results, 'da'), ...floatData(results, 'db')]).toEqual([1, 1, 0, 0]);
  }
});

test('where a gradient is stopped the value counts as a constant', async () => {
  const a = Float32Array.of(2, -3);
  const results = await evaluate(
    g => {
      const x = g.input('a', 'float32', [2]);
      const product = g.op('Mul', [stopGradient(g, g.op('Mul', [x, x])), x]);
      return { product, gradient: gradients(g, g.sum(product, [0], false), [x])[0]! };
    },
    { a: floats(a, [2]) },
  );
  expect([...floatData(results, 'product')]).toEqual([8, -27]);
  expect([...floatData(results, 'gradient')]).toEqual([4, 9]);
});

test('an intermediate value may be asked for, and the loss itself', async () => {
  const results = await evaluate(
    g => {
      const a = g.input('a', 'float32', [2]);
      const square = g.op('Mul', [a, a]);
      const loss = g.sum(g.op('Mul', [square, g.scalar(3)]), [0], false);
      const [dSquare, dLoss] = gradients(g, loss, [square, loss]);
      return { dSquare: dSquare!, dLoss: dLoss! };
    },
    { a: floats(Float32Array.of(1, 2), [2]) },
  );
  expect([...floatData(results, 'dSquare'), ...floatData(results, 'dLoss')]).toEqual([3, 3, 1]);
});

describe('refusals', () => {
  const total = (g: Graph, a: Value): Value =>
    g.sum(
      a,
      a.shape.map((_, i) => i),
      false,
    );
  const refusal = (build: (g: Graph, a: Value) => Value) => () => {
    const g = new Graph('refused');
    const a = g.input('a', 'float32', [2, 3]);
    gradients(g, build(g, a), [a]);
  };

  test('an operator without a rule on the path, by name', () => {
    expect(refusal((g, a) => total(g, g.max(a, [1])))).toThrow('no gradient rule for operator "ReduceMax"');
  });

  test('a loop on the path, whether it carries the value or reads it from around it', () => {
    const carried = (g: Graph, a: Value): Value =>
      g.loop(g.scalar(2, 'int64'), 'turns', [a], (b, _turn, [state]) => ({
        carried: [b.op('Add', [state!, state!])],
        collected: [],
      })).carried[0]!;
    const read = (g: Graph, a: Value): Value =>
      g.loop(
        g.scalar(2, 'int64'),
        'turns',
        [g.constant('float32', [2, 3], [1, 2, 3, 4, 5, 6])],
        (b, _turn, [state]) => ({
          carried: [b.op('Add', [state!, a])],
          collected: [],
        }),
      ).carried[0]!;
    // Beside another path the loop's part must not go missing either.
    for (const loop of [carried, read])
      expect(refusal((g, a) => total(g, g.op('Add', [a, loop(g, a)])))).toThrow('no gradient rule for operator "Loop"');
  });

  test('an operator without a rule beside the path does not matter', () => {
    expect(
      refusal((g, a) => total(g, g.op('Mul', [a, g.max(g.constant('float32', [1, 2], [1, 2]), [1])]))),
    ).not.toThrow();
  });

  test('a value the loss does not depend on', () => {
    expect(refusal(g => g.scalar(1))).toThrow('the loss does not depend on a');
  });

  test('a loss that is not a number', () => {
    expect(refusal((_, a) => a)).toThrow('the loss must be of rank 0, a is of rank 2');
  });

  test('Gather along another axis than the first', () => {
    expect(refusal((g, a) => total(g, g.op('Gather', [a, g.ints([0, 2])], { axis: 1 })))).toThrow(
      'Gather: a gradient exists along axis 0 only',
    );
  });

  test('Concat along a symbolic length', () => {
    const g = new Graph('refused');
    const a = g.input('a', 'float32', ['T', 3]);
    const joined = g.op('Concat', [a, a], { axis: 0 });
    expect(() => gradients(g, g.sum(joined, [0, 1], false), [a])).toThrow(
      'Concat: no gradient along the symbolic length T',
    );
  });
});
