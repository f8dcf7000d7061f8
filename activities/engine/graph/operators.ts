/** Every operator the engine uses: its domain and how result types follow from inputs. One table; an error here says what was expected. */
import { type Dim, product, quotient, showShape } from './dims.js';
import type { Attributes, ElementType } from './onnx.js';

export interface Typed {
  readonly type: ElementType;
  readonly shape: readonly Dim[];
  /** The elements, where they are known when the graph is built: axes, shapes. */
  readonly data?: readonly Dim[];
}

export interface OperatorRule {
  domain?: string;
  infer(inputs: readonly Typed[], attributes: Attributes): Typed[];
}

function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

const sameDim = (a: Dim, b: Dim): boolean => product([a]) === product([b]);

/** Numpy broadcasting of shapes. */
export function broadcast(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    expect(x === 1 || y === 1 || sameDim(x, y), `${showShape(a)} and ${showShape(b)} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** A possibly negative axis as an index into a shape of this rank. */
export function positiveAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  expect(positive >= 0 && positive < rank, `axis ${axis} of a value of rank ${rank}`);
  return positive;
}

const floats = (inputs: readonly Typed[]): void => {
  for (const x of inputs) expect(x.type === 'float32', `expected float32, got ${x.type}`);
};

const unary: OperatorRule = {
  infer: ([x]) => {
    floats([x!]);
    return [{ type: 'float32', shape: x!.shape }];
  },
};

const same: OperatorRule = { infer: ([x]) => [{ type: x!.type, shape: x!.shape }] };

const arithmetic: OperatorRule = {
  infer: ([a, b]) => {
    expect(a!.type === b!.type, `types differ: ${a!.type} and ${b!.type}`);
    return [{ type: a!.type, shape: broadcast(a!.shape, b!.shape) }];
  },
};

const comparison: OperatorRule = {
  infer: ([a, b]) => {
    expect(a!.type === b!.type, `types differ: ${a!.type} and ${b!.type}`);
    return [{ type: 'bool', shape: broadcast(a!.shape, b!.shape) }];
  },
};

function known(x: Typed | undefined, what: string): readonly Dim[] {
  expect(x?.data !== undefined, `${what} must be known when the graph is built`);
  return x.data;
}

const reduction: OperatorRule = {
  infer: ([x, axes], { keepdims }) => {
    const rank = x!.shape.length;
    const reduced = new Set(known(axes, 'axes').map(a => positiveAxis(a as number, rank)));
    const shape =
      keepdims === 0 ? x!.shape.filter((_, i) => !reduced.has(i)) : x!.shape.map((d, i) => (reduced.has(i) ? 1 : d));
    return [{ type: x!.type, shape }];
  },
};

function transposed(shape: readonly Dim[], swap: boolean): Dim[] {
  return swap ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : [...shape];
}

function matmulShape(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  expect(a.length >= 2 && b.length >= 2, `expected matrices, got ${showShape(a)} and ${showShape(b)}`);
  expect(sameDim(a.at(-1)!, b.at(-2)!), `inner lengths differ: ${showShape(a)} times ${showShape(b)}`);
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), a.at(-2)!, b.at(-1)!];
}

const matmul: OperatorRule = {
  infer: ([a, b], { transA, transB }) => {
    floats([a!, b!]);
    return [
      { type: 'float32', shape: matmulShape(transposed(a!.shape, transA === 1), transposed(b!.shape, transB === 1)) },
    ];
  },
};

export const OPERATORS: Record<string, OperatorRule> = {
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Min: arithmetic,
  Max: arithmetic,
  Less: comparison,
  LessOrEqual: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Equal: comparison,
  Or: comparison,
  Neg: unary,
  Exp: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sigmoid: unary,
  /** x sigmoid(alpha x); with alpha 1 it is SiLU (arXiv 1702.03118). */
  QuickGelu: { ...unary, domain: 'com.microsoft' },
  // Log is missing on purpose: its bits depend on the number of threads (findings/onnxruntime-log-depends-on-threads.sh).
  // LogSoftmax goes row by row.
  LogSoftmax: unary,
  Identity: same,
  Not: same,
  ReduceSum: reduction,
  /** Misses NaN (findings/onnxruntime-reducemax-misses-nan.sh): no check of numbers may rest on it. */
  ReduceMax: reduction,
  /** On the processor it is 15 to 20 times slower than Exp and ReduceSum. */
  ReduceLogSumExp: reduction,
  MatMul: matmul,
  FusedMatMul: { ...matmul, domain: 'com.microsoft' },
  Gemm: {
    infer: ([a, b, c], attributes) => {
      const [product] = matmul.infer([a!, b!], attributes);
      expect(a!.shape.length === 2 && b!.shape.length === 2, 'expected two matrices of rank 2');
      if (c) broadcast(product!.shape, c.shape);
      return [product!];
    },
  },
  Transpose: {
    infer: ([x], { perm }) => {
      const order = perm as number[];
      expect(order.length === x!.shape.length, `permutation ${order} of rank ${x!.shape.length}`);
      return [{ type: x!.type, shape: order.map(i => x!.shape[i]!) }];
    },
  },
  Concat: {
    infer: (inputs, { axis }) => {
      const at = positiveAxis(axis as number, inputs[0]!.shape.length);
      const lengths = inputs.map(x => x.shape[at]!);
      for (const x of inputs)
        x.shape.forEach((d, i) => {
          expect(
            i === at || sameDim(d, inputs[0]!.shape[i]!),
            `shapes differ beside axis ${at}: ${inputs.map(v => showShape(v.shape)).join(' ')}`,
          );
        });
      const numbers = lengths.filter(d => typeof d === 'number');
      // Sums of symbols are outside the algebra: such a length gets a name of its own.
      const total =
        numbers.length === lengths.length
          ? numbers.reduce((a, b) => a + b, 0)
          : `sum_${lengths.join('_').replaceAll(/\W/g, 'x')}`;
      const shape = inputs[0]!.shape.map((d, i) => (i === at ? total : d));
      const data = inputs.every(x => x.data) && inputs.flatMap(x => [...x.data!]);
      return [{ type: inputs[0]!.type, shape, ...(data && { data }) }];
    },
  },
  /** Into `num_outputs` equal parts, or into parts of the sizes given. */
  Split: {
    infer: ([x, sizes], { axis, num_outputs }) => {
      const at = positiveAxis(axis as number, x!.shape.length);
      const count = num_outputs as number | undefined;
      const lengths = sizes
        ? known(sizes, 'sizes')
        : Array.from({ length: count! }, () => quotient(x!.shape[at]!, count!));
      return lengths.map(length => ({ type: x!.type, shape: x!.shape.map((d, i) => (i === at ? length : d)) }));
    },
  },
  Gather: {
    infer: ([x, indices], { axis }) => {
      expect(indices!.type === 'int64', `indices must be int64, got ${indices!.type}`);
      const at = positiveAxis((axis as number | undefined) ?? 0, x!.shape.length);
      return [{ type: x!.type, shape: [...x!.shape.slice(0, at), ...indices!.shape, ...x!.shape.slice(at + 1)] }];
    },
  },
  GatherElements: {
    infer: ([x, indices]) => {
      expect(
        indices!.type === 'int64' && indices!.shape.length === x!.shape.length,
        'indices must be int64 of the same rank',
      );
      return [{ type: x!.type, shape: indices!.shape }];
    },
  },
  ScatterElements: {
    infer: ([x, indices, updates]) => {
      expect(indices!.type === 'int64', `indices must be int64, got ${indices!.type}`);
      expect(indices!.shape.length === updates!.shape.length, 'indices and updates differ in rank');
      return [{ type: x!.type, shape: x!.shape }];
    },
  },
  /** Feed unique indices only: where one repeats, summands are lost (findings/onnxruntime-scatternd-loses-sums.sh). */
  ScatterND: {
    infer: ([x, indices]) => {
      expect(indices!.type === 'int64', `indices must be int64, got ${indices!.type}`);
      return [{ type: x!.type, shape: x!.shape }];
    },
  },
  Where: {
    infer: ([condition, a, b]) => {
      expect(condition!.type === 'bool', `condition must be bool, got ${condition!.type}`);
      return [{ type: a!.type, shape: broadcast(condition!.shape, broadcast(a!.shape, b!.shape)) }];
    },
  },
  Cast: { infer: ([x], { to }) => [{ type: CAST_TARGETS[to as number]!, shape: x!.shape }] },
  CumSum: same,
  ArgMax: {
    infer: ([x], { axis }) => [
      { type: 'int64', shape: x!.shape.filter((_, i) => i !== positiveAxis(axis as number, x!.shape.length)) },
    ],
  },
  /** Values and their indices in falling order. */
  TopK: {
    infer: ([x, k]) => {
      const shape = [...x!.shape.slice(0, -1), known(k, 'k')[0]!];
      return [
        { type: x!.type, shape },
        { type: 'int64', shape },
      ];
    },
  },
  Shape: { infer: ([x]) => [{ type: 'int64', shape: [x!.shape.length], data: x!.shape }] },
  Expand: { infer: ([x, shape]) => [{ type: x!.type, shape: broadcast(x!.shape, known(shape, 'the shape')) }] },
  /** Zeros of a shape. */
  ConstantOfShape: { infer: ([shape]) => [{ type: 'float32', shape: known(shape, 'the shape') }] },
  Reshape: {
    infer: ([x, target]) => {
      const wanted = known(target, 'the shape').map((d, i) => (d === 0 ? x!.shape[i]! : d));
      const rest = quotient(product(x!.shape), product(wanted.filter(d => d !== -1)));
      const shape = wanted.map(d => (d === -1 ? rest : d));
      expect(
        sameDim(product(shape), product(x!.shape)),
        `${showShape(x!.shape)} to ${showShape(shape)} changes the number of elements`,
      );
      return [{ type: x!.type, shape }];
    },
  },
  Slice: {
    infer: ([x, starts, ends, axes]) => {
      const shape = [...x!.shape];
      known(axes, 'axes').forEach((axis, i) => {
        const at = positiveAxis(axis as number, shape.length);
        const [start, end] = [known(starts, 'starts')[i] as number, known(ends, 'ends')[i] as number];
        expect(start >= 0 && end > start, `from ${start} to ${end} is empty or counts from the end`);
        const length = shape[at]!;
        expect(typeof length !== 'number' || end <= length, `to ${end} of axis ${axis} of ${showShape(shape)}`);
        shape[at] = end - start;
      });
      return [{ type: x!.type, shape }];
    },
  },
  SimplifiedLayerNormalization: {
    infer: ([x, scale]) => {
      floats([x!, scale!]);
      expect(
        sameDim(x!.shape.at(-1)!, scale!.shape[0]!),
        `scale ${showShape(scale!.shape)} does not fit ${showShape(x!.shape)}`,
      );
      return [{ type: x!.type, shape: x!.shape }];
    },
  },
  RotaryEmbedding: {
    domain: 'com.microsoft',
    infer: ([x, positions, cosine, sine]) => {
      floats([x!, cosine!, sine!]);
      expect(positions!.type === 'int64', `positions must be int64, got ${positions!.type}`);
      return [{ type: x!.type, shape: x!.shape }];
    },
  },
};

const CAST_TARGETS: Record<number, ElementType> = { 1: 'float32', 7: 'int64', 9: 'bool' };
