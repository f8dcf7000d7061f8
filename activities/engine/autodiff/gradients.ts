/**
 * Reverse-mode differentiation: one table of rules keyed by operator.
 *
 * A rule gets the operator's inputs, outputs and the gradients of its outputs, and builds the gradients of its inputs in
 * the same graph. Gradients are sums over the tape walked backwards, in an order that depends on the graph alone.
 */
import { type Dim, type Graph, GraphError, positiveAxis, transposed, type Value } from '../graph/index.js';
import { ATTENTION_GRADIENT } from './attention.js';
import type { GradientContext, GradientRule } from './gradient-rule.js';
import { TOKEN_LOGPROBS_GRADIENT } from './logprobs.js';
import { PRODUCT_GRADIENT } from './product.js';
import { STOP_GRADIENT } from './stop-gradient.js';

/** Sums a gradient over the axes along which its value was broadcast. */
function unbroadcast(g: Graph, gradient: Value, shape: readonly Dim[]): Value {
  const lead = gradient.shape.length - shape.length;
  const summed =
    lead > 0
      ? g.sum(
          gradient,
          Array.from({ length: lead }, (_, i) => i),
          false,
        )
      : gradient;
  const axes = shape.flatMap((d, i) => (d === 1 && summed.shape[i] !== 1 ? [i] : []));
  return axes.length > 0 ? g.sum(summed, axes) : summed;
}

/** A rule for c = a op b with broadcasting, from the two partial derivatives times the gradient. */
function binary(partials: (context: GradientContext, gradient: Value) => [() => Value, () => Value]): GradientRule {
  return context => {
    const parts = partials(context, context.gradients[0]!);
    return parts.map((part, i) => (context.needs[i] ? unbroadcast(context.g, part(), context.inputs[i]!.shape) : null));
  };
}

/** A rule for y = f(x) elementwise, from the gradient times f'(x). */
function elementwise(derivative: (g: Graph, gradient: Value, x: Value, y: Value) => Value): GradientRule {
  return ({ g, inputs, outputs, gradients }) => [derivative(g, gradients[0]!, inputs[0]!, outputs[0]!)];
}

const zerosLike = (g: Graph, x: Value): Value => g.op('ConstantOfShape', [g.op('Shape', [x])]);

/** The gradient where the condition holds, else 0. */
const masked = (g: Graph, condition: Value, gradient: Value): Value =>
  g.op('Where', [condition, gradient, g.scalar(0)]);

/** Puts a reduction's gradient back under the input's rank, with 1 in the reduced places. */
function keptDims({ g, inputs, attributes, gradients }: GradientContext): Value {
  if (attributes.keepdims !== 0) return gradients[0]!;
  const reduced = inputs[1]!.data!.map(a => positiveAxis(a as number, inputs[0]!.shape.length));
  return g.reshape(
    gradients[0]!,
    inputs[0]!.shape.map((d, i) => (reduced.includes(i) ? 1 : d)),
  );
}

/** C = A' B' with A' = A or A^T: the gradients of stored (maybe transposed) operands, as products of the same kind. */
function productGradients(operator: 'Gemm' | 'FusedMatMul'): GradientRule {
  return ({ g, inputs, attributes, gradients, needs }) => {
    const [a, b, c] = inputs as [Value, Value, Value | undefined];
    const dy = gradients[0]!;
    const [ta, tb] = [attributes.transA === 1, attributes.transB === 1];
    const scale = attributes.alpha === undefined ? {} : { alpha: attributes.alpha };
    const times = (x: Value, y: Value, transA: boolean, transB: boolean): Value =>
      g.op(operator, [x, y], { transA: transA ? 1 : 0, transB: transB ? 1 : 0, ...scale });
    const da = (): Value => (ta ? times(b, dy, tb, true) : times(dy, b, false, !tb));
    const db = (): Value => (tb ? times(dy, a, true, ta) : times(a, dy, !ta, false));
    return [
      needs[0] ? unbroadcast(g, da(), a.shape) : null,
      needs[1] ? unbroadcast(g, db(), b.shape) : null,
      ...(c ? [needs[2] ? unbroadcast(g, dy, c.shape) : null] : []),
    ];
  };
}

export const GRADIENTS: Record<string, GradientRule> = {
  Identity: ({ gradients }) => [gradients[0]!],
  Neg: elementwise((g, dy) => g.op('Neg', [dy])),
  Exp: elementwise((g, dy, _x, y) => g.op('Mul', [dy, y])),
  Sqrt: elementwise((g, dy, _x, y) => g.op('Div', [g.op('Mul', [dy, g.scalar(0.5)]), y])),
  Reciprocal: elementwise((g, dy, _x, y) => g.op('Neg', [g.op('Mul', [dy, g.op('Mul', [y, y])])])),
  // s = sigmoid(alpha x), y = x s: dx = dy s (1 + alpha (x - y)). s is computed again: kept, it would be as large as x.
  QuickGelu: ({ g, inputs: [x], outputs: [y], attributes, gradients: [dy] }) => {
    const { float: alpha } = attributes.alpha as { float: number };
    const times = (value: Value): Value => (alpha === 1 ? value : g.op('Mul', [value, g.scalar(alpha)]));
    const slope = g.op('Add', [times(g.op('Sub', [x!, y!])), g.scalar(1)]);
    return [g.op('Mul', [dy!, g.op('Mul', [g.op('Sigmoid', [times(x!)]), slope])])];
  },
  Add: binary((_, dy) => [() => dy, () => dy]),
  Sub: binary(({ g }, dy) => [() => dy, () => g.op('Neg', [dy])]),
  Mul: binary(({ g, inputs: [a, b] }, dy) => [() => g.op('Mul', [dy, b!]), () => g.op('Mul', [dy, a!])]),
  Div: binary(({ g, inputs: [, b], outputs: [y] }, dy) => [
    () => g.op('Div', [dy, b!]),
    () => g.op('Neg', [g.op('Div', [g.op('Mul', [dy, y!]), b!])]),
  ]),
  // Where both sides are equal the gradient goes to the first.
  Min: binary(({ g, inputs: [a, b] }, dy) => [
    () => masked(g, g.op('LessOrEqual', [a!, b!]), dy),
    () => masked(g, g.op('Greater', [a!, b!]), dy),
  ]),
  Max: binary(({ g, inputs: [a, b] }, dy) => [
    () => masked(g, g.op('GreaterOrEqual', [a!, b!]), dy),
    () => masked(g, g.op('Less', [a!, b!]), dy),
  ]),
  Where: ({ g, inputs: [condition, a, b], gradients: [dy], needs }) => [
    null,
    needs[1] ? unbroadcast(g, g.op('Where', [condition!, dy!, g.scalar(0)]), a!.shape) : null,
    needs[2] ? unbroadcast(g, g.op('Where', [condition!, g.scalar(0), dy!]), b!.shape) : null,
  ],
  ReduceSum: context => {
    const { g, inputs } = context;
    return [g.op('Expand', [keptDims(context), g.op('Shape', [inputs[0]!])]), null];
  },
  MatMul: ({ g, inputs: [a, b], gradients: [dy], needs }) => [
    needs[0] ? unbroadcast(g, g.op('MatMul', [dy!, transposed(g, b!)]), a!.shape) : null,
    needs[1] ? unbroadcast(g, g.op('MatMul', [transposed(g, a!), dy!]), b!.shape) : null,
  ],
  Gemm: productGradients('Gemm'),
  FusedMatMul: productGradients('FusedMatMul'),
  Transpose: ({ g, attributes, gradients }) => {
    const perm = attributes.perm as number[];
    return [g.op('Transpose', [gradients[0]!], { perm: perm.map((_, i) => perm.indexOf(i)) })];
  },
  Reshape: ({ g, inputs, gradients }) => [g.op('Reshape', [gradients[0]!, g.op('Shape', [inputs[0]!])]), null],
  Expand: ({ g, inputs, gradients }) => [unbroadcast(g, gradients[0]!, inputs[0]!.shape), null],
  Split: ({ g, outputs, attributes, gradients }) => {
    const parts = outputs.map((y, i) => gradients[i] ?? zerosLike(g, y));
    return [g.op('Concat', parts, { axis: attributes.axis! })];
  },
  Concat: ({ g, inputs, attributes, gradients }) => {
    // Offsets along the axis must be numbers: a symbolic part could only be the last one, which nothing here needs.
    const at = positiveAxis(attributes.axis as number, inputs[0]!.shape.length);
    let offset = 0;
    return inputs.map(x => {
      const length = x.shape[at];
      if (typeof length !== 'number') throw new GraphError(`Concat: no gradient along the symbolic length ${length}`);
      const bounds = [[offset], [offset + length], [at]].map(v => g.ints(v));
      offset += length;
      return g.op('Slice', [gradients[0]!, ...bounds]);
    });
  },
  // The indices of Gather along axis 0 must be unique (rows chosen once each), for ScatterND's sake.
  Gather: ({ g, inputs: [x, indices], attributes, gradients: [dy] }) => {
    if ((attributes.axis ?? 0) !== 0) throw new GraphError('Gather: a gradient exists along axis 0 only');
    const rows = g.reshape(indices!, [...indices!.shape, 1]);
    return [g.op('ScatterND', [zerosLike(g, x!), rows, dy!]), null];
  },
  GatherElements: ({ g, inputs: [x, indices], attributes, gradients: [dy] }) => [
    g.op('ScatterElements', [zerosLike(g, x!), indices!, dy!], { axis: attributes.axis ?? 0, reduction: 'add' }),
    null,
  ],
  // y = x r w with r = 1 / sqrt(mean x^2 + epsilon): dx = r (dy w - x r^2 mean(dy w x)), dw = sum of dy x r.
  SimplifiedLayerNormalization: ({ g, inputs: [x, w], attributes, gradients: [dy], needs }) => {
    const width = g.scalar(x!.shape.at(-1) as number);
    const mean = (v: Value): Value => g.op('Div', [g.sum(v, [-1]), width]);
    const epsilon = g.scalar((attributes.epsilon as { float: number }).float);
    const r = g.op('Reciprocal', [g.op('Sqrt', [g.op('Add', [mean(g.op('Mul', [x!, x!])), epsilon])])]);
    const normalised = g.op('Mul', [x!, r]);
    const scaled = g.op('Mul', [dy!, w!]);
    const projection = g.op('Mul', [normalised, mean(g.op('Mul', [scaled, normalised]))]);
    return [
      needs[0] ? g.op('Mul', [r, g.op('Sub', [scaled, projection])]) : null,
      needs[1] ? unbroadcast(g, g.op('Mul', [dy!, normalised]), w!.shape) : null,
    ];
  },
  // A rotation's transpose is the rotation by the opposite angle.
  RotaryEmbedding: ({ g, inputs: [, positions, cosine, sine], attributes, gradients: [dy] }) => [
    g.op('RotaryEmbedding', [dy!, positions!, cosine!, g.op('Neg', [sine!])], attributes),
    null,
    null,
    null,
  ],
  Product: PRODUCT_GRADIENT,
  Attention: ATTENTION_GRADIENT,
  TokenLogprobs: TOKEN_LOGPROBS_GRADIENT,
  StopGradient: STOP_GRADIENT,
};

/** Values on the tape that depend on any of `sources`, the sources included. */
function dependents(g: Graph, sources: readonly Value[]): Set<string> {
  const names = new Set(sources.map(v => v.name));
  for (const { inputs, outputs } of g.tape)
    if (inputs.some(v => names.has(v.name))) for (const v of outputs) names.add(v.name);
  return names;
}

/** A value whose gradient is known: where differentiation starts. */
export interface Seed {
  value: Value;
  gradient: Value;
}

/**
 * Builds d(loss)/d(each of `wanted`) behind what the graph holds so far.
 *
 * @param loss a value of rank 0
 * @returns one value each, of the wanted value's shape
 * @throws GraphError where the path from a wanted value to the loss meets an operator without a rule, or there is no path
 */
export function gradients(g: Graph, loss: Value, wanted: readonly Value[]): Value[] {
  if (loss.shape.length !== 0)
    throw new GraphError(`the loss must be of rank 0, ${loss.name} is of rank ${loss.shape.length}`);
  return backpropagate(g, [{ value: loss, gradient: g.scalar(1) }], wanted);
}

/** The same from known gradients of values on the way (a vector-Jacobian product): what lies behind them may be another graph. */
export function backpropagate(g: Graph, seeds: readonly Seed[], wanted: readonly Value[]): Value[] {
  const tape = [...g.tape];
  const active = dependents(g, wanted);
  const found = new Map(seeds.map(({ value, gradient }) => [value.name, gradient]));
  for (const { operator, inputs, outputs, attributes } of tape.reverse()) {
    const arriving = outputs.map(v => found.get(v.name) ?? null);
    const needs = inputs.map(v => active.has(v.name));
    if (arriving.every(v => v === null) || !needs.some(Boolean)) continue;
    const rule = GRADIENTS[operator];
    if (!rule) throw new GraphError(`no gradient rule for operator "${operator}"`);
    const leaving = rule({ g, inputs, outputs, attributes, gradients: arriving, needs });
    inputs.forEach((v, i) => {
      const gradient = leaving[i];
      if (!gradient || !needs[i]) return;
      const before = found.get(v.name);
      found.set(v.name, before ? g.op('Add', [before, gradient]) : gradient);
    });
  }
  return wanted.map(v => {
    const gradient = found.get(v.name);
    if (!gradient) throw new GraphError(`the loss does not depend on ${v.name}`);
    return gradient;
  });
}
