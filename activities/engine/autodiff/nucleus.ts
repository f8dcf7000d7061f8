/**
 * Log-probabilities under truncated sampling: of a token among those that were kept, so that who samples and who trains
 * mean the same distribution.
 */
import type { Graph, Value } from '../graph/index.js';

/** Rank 0. */
export interface Truncation {
  topP: Value;
  /** As float; the vocabulary's size where all tokens are kept. */
  topK: Value;
}

/** Sorting a whole vocabulary takes longer than the rest of the head: so many of the most likely tokens are tried first. */
const LIKELY = [256, 4096];

/** Off a log-probability, it leaves nothing of the probability, and times 0 it is 0. */
const NOTHING = 1e30;

/**
 * The distribution over the nucleus (arXiv 1904.09751): the fewest most likely tokens whose probability reaches topP, at
 * most topK, and those as likely as the last of them. A token that lies outside, as after an update that moved it there,
 * widens its row's nucleus until it is in.
 * @param logprobs of all tokens [rows, V]
 * @param probabilities the same, [rows, V]
 * @param tokens int64 [rows, 1]
 * @returns log-probabilities of the tokens [rows, 1], and within the nucleus all probabilities [rows, V], others 0, and
 * entropies [rows, 1]
 */
export function withinNucleus(
  g: Graph,
  logprobs: Value,
  probabilities: Value,
  tokens: Value,
  truncation: Truncation,
): { logprobs: Value; probabilities: Value; entropies: Value } {
  const vocabulary = probabilities.shape[1] as number;
  const sizes = [...LIKELY.filter(size => size < vocabulary), vocabulary];
  const own = g.op('GatherElements', [probabilities, tokens], { axis: 1 });
  const least = g.op('Min', [leastKept(g, probabilities, sizes, truncation), own]);
  const kept = g.op('Cast', [g.op('GreaterOrEqual', [probabilities, least])], { to: 1 });
  // The logarithm of the kept mass by way of the softmax, which goes row by row.
  const masked = g.op('Add', [logprobs, g.op('Mul', [g.op('Sub', [kept, g.scalar(1)]), g.scalar(NOTHING)])]);
  const within = g.op('LogSoftmax', [masked], { axis: -1 });
  const shares = g.op('Exp', [within]);
  return {
    logprobs: g.op('GatherElements', [within, tokens], { axis: 1 }),
    probabilities: shares,
    entropies: g.op('Neg', [g.sum(g.op('Mul', [shares, within]), [1])]),
  };
}

/** The probability of the last token kept, [rows, 1]. */
function leastKept(
  g: Graph,
  probabilities: Value,
  [size, ...larger]: readonly number[],
  { topP, topK }: Truncation,
): Value {
  const [sorted] = g.ops('TopK', [probabilities, g.ints([size!])], { axis: 1, largest: 1, sorted: 1 });
  const cumulated = g.op('CumSum', [sorted!, g.scalar(1, 'int64')]);
  const last = (b: Graph): Value => {
    const before = b.op('Sub', [cumulated, sorted!]);
    const inNucleus = b.sum(b.op('Cast', [b.op('Less', [before, topP])], { to: 1 }), [1]);
    const place = b.op('Sub', [b.op('Min', [inNucleus, topK]), b.scalar(1)]);
    return b.op('GatherElements', [sorted!, b.op('Cast', [place], { to: 7 })], { axis: 1 });
  };
  if (larger.length === 0) return last(g);
  const all = g.op('Slice', [cumulated, g.ints([size! - 1]), g.ints([size!]), g.ints([1])]);
  const reached = g.op('Neg', [g.op('ReduceMax', [g.op('Neg', [all]), g.ints([0, 1])], { keepdims: 0 })]);
  const enough = g.op('Or', [g.op('GreaterOrEqual', [reached, topP]), g.op('LessOrEqual', [topK, g.scalar(size!)])]);
  return g.cond(
    enough,
    b => [last(b)],
    b => [leastKept(b, probabilities, larger, { topP, topK })],
  )[0]!;
}
