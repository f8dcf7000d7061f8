/**
 * The nucleus (arXiv 1904.09751): the fewest most likely tokens whose probability reaches topP, at most topK. Who samples
 * draws from it, and who trains takes log-probabilities within it, so that both mean the same distribution.
 */
import type { Graph, Value } from '../graph/index.js';
import type { Truncation } from './truncation.js';

/** Sorting a whole vocabulary takes longer than the rest of the head: so many of the most likely tokens are tried first. */
const LIKELY = [256, 4096, 16_384, 65_536];

/** Off a log-probability, it leaves nothing of the probability, and times 0 it is 0. */
const NOTHING = 1e30;

/** The most likely tokens, the likeliest first, as many as hold every row's nucleus. */
export interface Likeliest {
  /** Their probabilities, [rows, n]. */
  sorted: Value;
  /** Sums of these from the first on. */
  cumulated: Value;
  /** The tokens themselves, int64. */
  order: Value;
  /** The place of the nucleus's last token, as float [rows, 1]. */
  last: Value;
}

/** What is taken of them, in the body of a condition. */
type Take = (g: Graph, likeliest: Likeliest) => Value[];

/** @param probabilities [rows, V] */
export function ofNucleus(g: Graph, probabilities: Value, truncation: Truncation, take: Take): Value[] {
  const vocabulary = probabilities.shape[1] as number;
  return among(g, probabilities, [...LIKELY.filter(size => size < vocabulary), vocabulary], truncation, take);
}

/** Looks among the first of `sizes` most likely tokens, and where a row's nucleus may be larger, among the next. */
function among(
  g: Graph,
  probabilities: Value,
  [size, ...larger]: readonly number[],
  truncation: Truncation,
  take: Take,
): Value[] {
  const { topP, topK } = truncation;
  const [sorted, order] = g.ops('TopK', [probabilities, g.ints([size!])], { axis: 1, largest: 1, sorted: 1 });
  const cumulated = g.op('CumSum', [sorted!, g.scalar(1, 'int64')]);
  const taken = (b: Graph): Value[] => {
    const before = b.op('Sub', [cumulated, sorted!]);
    const inNucleus = b.sum(b.op('Cast', [b.op('Less', [before, topP])], { to: 1 }), [1]);
    const last = b.op('Sub', [b.op('Min', [inNucleus, topK]), b.scalar(1)]);
    return take(b, { sorted: sorted!, cumulated, order: order!, last });
  };
  if (larger.length === 0) return taken(g);
  const all = g.op('Slice', [cumulated, g.ints([size! - 1]), g.ints([size!]), g.ints([1])]);
  const reached = g.op('Neg', [g.op('ReduceMax', [g.op('Neg', [all]), g.ints([0, 1])], { keepdims: 0 })]);
  const enough = g.op('Or', [g.op('GreaterOrEqual', [reached, topP]), g.op('LessOrEqual', [topK, g.scalar(size!)])]);
  return g.cond(enough, taken, b => among(b, probabilities, larger, truncation, take));
}

/** The probability of the last token kept, [rows, 1]. */
export const leastKept = (g: Graph, { sorted, last }: Likeliest): Value =>
  g.op('GatherElements', [sorted, g.op('Cast', [last], { to: 7 })], { axis: 1 });

/**
 * The distribution over the nucleus and those as likely as the last of it. A token that lies outside, as after an update
 * that moved it there, widens its row's nucleus until it is in.
 * @param logprobs of all tokens [rows, V]
 * @param probabilities the same, [rows, V]
 * @param tokens int64 [rows, 1]
 * @param least the probability of the last token kept, [rows, 1]
 * @returns log-probabilities of the tokens [rows, 1], and within the nucleus all probabilities [rows, V], others 0, and
 * entropies [rows, 1]
 */
export function withinNucleus(
  g: Graph,
  { logprobs, probabilities }: { logprobs: Value; probabilities: Value },
  tokens: Value,
  least: Value,
): { logprobs: Value; probabilities: Value; entropies: Value } {
  const own = g.op('GatherElements', [probabilities, tokens], { axis: 1 });
  const border = g.op('Min', [least, own]);
  const kept = g.op('Cast', [g.op('GreaterOrEqual', [probabilities, border])], { to: 1 });
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
