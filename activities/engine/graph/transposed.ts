/** Matrices on their side. */
import type { Graph, Value } from './graph.js';

/** With its last two axes exchanged. */
export function transposed(g: Graph, x: Value): Value {
  const axes = x.shape.map((_, i) => i);
  return g.op('Transpose', [x], { perm: [...axes.slice(0, -2), axes.length - 1, axes.length - 2] });
}
