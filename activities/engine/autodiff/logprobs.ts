/** From final hidden states to the log-probability of each target token: the head, its softmax and their gradient as one operator. */
import type { Graph, Value } from '../graph/index.js';
import type { GradientRule } from './gradient-rule.js';
import { leastKept, ofNucleus, withinNucleus } from './nucleus.js';
import { splitByRows } from './product.js';
import type { Truncation } from './truncation.js';

/**
 * @param hidden [rows, H]
 * @param head [V, H]
 * @param targets int64 [rows]
 * @param inverseTemperature rank 0; logits are multiplied by it
 * @param truncation where log-probabilities are of the tokens that sampling keeps
 * @returns log-probabilities of the targets [rows] (natural log) and entropies [rows] (nats; no gradient flows through them)
 */
export function tokenLogprobs(
  g: Graph,
  hidden: Value,
  head: Value,
  targets: Value,
  inverseTemperature: Value,
  truncation: Truncation | null = null,
): { logprobs: Value; entropies: Value } {
  const inputs = [hidden, head, targets, inverseTemperature];
  const [logprobs, entropies] = g.composite('TokenLogprobs', inputs, {}, () => {
    const rows = hidden.shape[0]!;
    // Scaled before the product: a pass over [rows, H] instead of [rows, V].
    const logits = splitByRows(g, g.op('Mul', [hidden, inverseTemperature]), head, 1);
    const all = g.op('LogSoftmax', [logits], { axis: -1 });
    const probabilities = g.op('Exp', [all]);
    if (truncation) {
      const [least] = ofNucleus(g, probabilities, truncation, (b, likeliest) => [leastKept(b, likeliest)]);
      const within = withinNucleus(g, { logprobs: all, probabilities }, g.reshape(targets, [rows, 1]), least!);
      return [g.reshape(within.logprobs, [rows]), g.reshape(within.entropies, [rows]), within.probabilities];
    }
    const picked = g.op('GatherElements', [all, g.reshape(targets, [rows, 1])], { axis: 1 });
    const entropy = g.op('Neg', [g.sum(g.op('Mul', [probabilities, all]), [1], false)]);
    return [g.reshape(picked, [rows]), entropy, probabilities];
  });
  return { logprobs: logprobs!, entropies: entropies! };
}

/** d logits = d logprob (one-hot of the target - softmax, over the nucleus where there is one) / temperature. */
export const TOKEN_LOGPROBS_GRADIENT: GradientRule = ({ g, inputs, outputs, gradients, needs }) => {
  const [hidden, head, targets, inverseTemperature] = inputs as [Value, Value, Value, Value];
  const [, , probabilities] = outputs as [Value, Value, Value];
  const rows = hidden.shape[0]!;
  const gradient = g.op('Mul', [g.reshape(gradients[0]!, [rows, 1]), inverseTemperature]);
  const spread = g.op('Mul', [probabilities, g.op('Neg', [gradient])]);
  // One index a row: no race.
  const gradLogits = g.op('ScatterElements', [spread, g.reshape(targets, [rows, 1]), gradient], {
    axis: 1,
    reduction: 'add',
  });
  return [
    needs[0] ? splitByRows(g, gradLogits, head, 0) : null,
    needs[1] ? g.op('Gemm', [gradLogits, hidden], { transA: 1 }) : null,
    null,
    null,
  ];
};
