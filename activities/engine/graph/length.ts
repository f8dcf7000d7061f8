/** Lengths that are known when a graph runs. */
import type { Graph, Value } from './graph.js';

/** The length of the first axis, an int64 scalar. */
export const lengthOf = (g: Graph, x: Value): Value =>
  g.op('Gather', [g.op('Shape', [x]), g.scalar(0, 'int64')], { axis: 0 });
