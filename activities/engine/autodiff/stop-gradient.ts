/** A value through which no gradient flows, for losses that take a number of the model's own as given. */
import type { Graph, Value } from '../graph/index.js';
import type { GradientRule } from './gradient-rule.js';

/** The same value, a constant to whatever is differentiated. */
export function stopGradient(g: Graph, x: Value): Value {
  return g.composite('StopGradient', [x], {}, () => [g.op('Identity', [x])])[0]!;
}

export const STOP_GRADIENT: GradientRule = () => [null];
