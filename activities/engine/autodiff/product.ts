/**
 * Matrix products that sum in an order of their own, whatever the number of threads.
 *
 * On the CPU, onnxruntime (MlasSgemmOperation) sums 128 terms at a time, but more at a time where a thread's share is
 * narrow: 256 for 64 columns or fewer, 512 for 32, 1024 for 16. Shares are of columns where a product has more columns
 * than rows, of rows otherwise, and only the former are narrower for more threads. A left operand that is given transposed
 * is always summed by 128.
 */
import { type Dim, type Graph, lengthOf, transposed, type Value } from '../graph/index.js';
import type { GradientRule } from './gradient-rule.js';

/** Terms that are summed in one go by every product. */
const PANEL = 128;

/** So many columns leave more than 64 to each of the 128 threads that a product is shared among at most. */
const ALWAYS_WIDE = 8192;

const inOnePanel = (terms: Dim): boolean => typeof terms === 'number' && terms <= PANEL;

/**
 * x w^T (+ bias), where rows of x are to give the same bits beside any others: all sums are by 128. Of one row alone they
 * are not.
 *
 * @param x [rows, in]
 * @param w [out, in]
 * @param bias [out]
 */
export function rowwiseProduct(g: Graph, x: Value, w: Value, bias?: Value): Value {
  const rest = bias ? [w, bias] : [w];
  if (inOnePanel(x.shape[1]!)) return g.op('Gemm', [x, ...rest], { transB: 1 });
  return g.op('Gemm', [transposed(g, x), ...rest], { transA: 1, transB: 1 });
}

/** The same where w is a constant of the graph: it is laid out once, and no sum goes by the number of rows or threads. */
export const constantProduct = (g: Graph, x: Value, w: Value, bias?: Value): Value =>
  g.op('Gemm', bias ? [x, w, bias] : [x, w], { transB: 1 });

/** As `rowwiseProduct`, of stacks of matrices: x y or x y^T. */
export function batchedProduct(
  g: Graph,
  x: Value,
  y: Value,
  attributes: { transB?: 0 | 1; alpha?: { float: number } } = {},
): Value {
  const all = { transB: 0, ...attributes };
  if (inOnePanel(x.shape.at(-1)!)) return g.op('FusedMatMul', [x, y], { transA: 0, ...all });
  return g.op('FusedMatMul', [transposed(g, x), y], { transA: 1, ...all });
}

/**
 * x w^T (+ bias) where rows need not be independent of each other, and with a gradient: at onnxruntime's own
 * speed, as nothing large is transposed but the result, where it has more columns than rows.
 */
export function product(g: Graph, x: Value, w: Value, bias?: Value): Value {
  const inputs = bias ? [x, w, bias] : [x, w];
  return g.composite('Product', inputs, {}, () => [splitByRows(g, x, w, 1, bias)])[0]!;
}

export const PRODUCT_GRADIENT: GradientRule = ({ g, inputs, gradients, needs }) => {
  const [x, w, bias] = inputs as [Value, Value, Value | undefined];
  const dy = gradients[0]!;
  return [
    needs[0] ? splitByRows(g, dy, w, 0) : null,
    needs[1] ? g.op('Gemm', [dy, x], { transA: 1 }) : null,
    ...(bias ? [needs[2] ? g.sum(dy, [0], false) : null] : []),
  ];
};

/** x w or x w^T (+ bias), in whichever way shares it by rows: then sums go by the number of columns alone. */
export function splitByRows(g: Graph, x: Value, w: Value, transB: 0 | 1, bias?: Value): Value {
  const [terms, columns] = (transB ? [w.shape[1], w.shape[0]] : w.shape) as [number, number];
  const asGiven = (b: Graph): Value => b.op('Gemm', bias ? [x, w, bias] : [x, w], { transB });
  if (inOnePanel(terms) || columns >= ALWAYS_WIDE) return asGiven(g);
  const turned = (b: Graph): Value => {
    const column = bias ? [b.reshape(bias, [columns, 1])] : [];
    return transposed(b, b.op('Gemm', [w, x, ...column], { transA: transB ? 0 : 1, transB: 1 }));
  };
  const fewRows = g.op('Less', [lengthOf(g, x), g.scalar(columns, 'int64')]);
  return g.cond(
    fewRows,
    b => [turned(b)],
    b => [asGiven(b)],
  )[0]!;
}
