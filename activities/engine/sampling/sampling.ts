/**
 * Choosing a token from logits inside the graph, by inverse CDF from one uniform number a token.
 *
 * The log-probability reported is that of the whole distribution at the sampling temperature, before top-p and top-k, or
 * that among the tokens kept, where the trainer takes its own so too: what its ratio needs.
 */
import { withinNucleus } from '../autodiff/index.js';
import type { Graph, Value } from '../graph/index.js';
import type { SamplingSettings } from '../protocol/index.js';

/** Which graph a request needs: sorting the vocabulary is dear, so only truncated sampling does it. */
export type SamplingMode = 'greedy' | 'full' | 'truncated' | 'within nucleus';

export function samplingMode({ temperature, topP, topK, truncatedLogprobs }: SamplingSettings): SamplingMode {
  if (temperature === 0) return 'greedy';
  if (topP === 1 && topK === 0) return 'full';
  return truncatedLogprobs ? 'within nucleus' : 'truncated';
}

/** Scalars (rank 0) and the turn's uniform numbers [rows]. */
export interface SamplingInputs {
  inverseTemperature: Value;
  topP: Value;
  /** As float; the vocabulary's size where all tokens are kept. */
  topK: Value;
  uniform: Value;
}

/** [rows, V] */
interface Distribution {
  logprobs: Value;
  probabilities: Value;
}

/** Tokens as int64 [rows, 1]. */
type Choose = (g: Graph, distribution: Distribution, inputs: SamplingInputs) => Value;

const column = (g: Graph, x: Value): Value => g.reshape(x, [x.shape[0]!, 1]);
const toFloat = (g: Graph, x: Value): Value => g.op('Cast', [x], { to: 1 });
const toInt = (g: Graph, x: Value): Value => g.op('Cast', [x], { to: 7 });
const countTrue = (g: Graph, x: Value): Value => g.sum(toFloat(g, x), [1]);
const cumulative = (g: Graph, x: Value): Value => g.op('CumSum', [x, g.scalar(1, 'int64')]);

/** The first index whose cumulative weight exceeds `threshold`, at most `last`. Rounding cannot step over the end. */
function invert(g: Graph, cumulated: Value, threshold: Value, last: Value): Value {
  return toInt(g, g.op('Min', [countTrue(g, g.op('LessOrEqual', [cumulated, threshold])), last]));
}

const CHOICES: Record<Exclude<SamplingMode, 'within nucleus'>, Choose> = {
  greedy: (g, { logprobs }) => column(g, g.op('ArgMax', [logprobs], { axis: 1, keepdims: 0 })),

  full: (g, { probabilities }, { uniform }) => {
    const vocabulary = probabilities.shape[1] as number;
    const cumulated = cumulative(g, probabilities);
    const total = g.op('Slice', [cumulated, g.ints([vocabulary - 1]), g.ints([vocabulary]), g.ints([1])]);
    return invert(g, cumulated, g.op('Mul', [column(g, uniform), total]), g.scalar(vocabulary - 1));
  },

  truncated: (g, { probabilities }, inputs) => {
    const vocabulary = probabilities.shape[1] as number;
    const sizes = [...LIKELY.filter(size => size < vocabulary), vocabulary];
    return nucleus(g, probabilities, sizes, inputs);
  },
};

/** Sorting a whole vocabulary takes longer than the rest of the head: so many of the most likely tokens are tried first. */
const LIKELY = [256, 4096];

/**
 * Nucleus sampling (arXiv 1904.09751): the fewest most likely tokens whose probability reaches topP, at most topK. Looks
 * among the first of `sizes` most likely tokens, and where a row's nucleus may be larger, among the next.
 */
function nucleus(g: Graph, probabilities: Value, [size, ...larger]: readonly number[], inputs: SamplingInputs): Value {
  const { topP, topK, uniform } = inputs;
  const [sorted, order] = g.ops('TopK', [probabilities, g.ints([size!])], { axis: 1, largest: 1, sorted: 1 });
  const cumulated = cumulative(g, sorted!);
  const choose = (b: Graph): Value => {
    const before = b.op('Sub', [cumulated, sorted!]);
    const inNucleus = countTrue(b, b.op('Less', [before, topP]));
    const last = b.op('Sub', [b.op('Min', [inNucleus, topK]), b.scalar(1)]);
    const mass = b.op('GatherElements', [cumulated, toInt(b, last)], { axis: 1 });
    const rank = invert(b, cumulated, b.op('Mul', [column(b, uniform), mass]), last);
    return b.op('GatherElements', [order!, rank], { axis: 1 });
  };
  if (larger.length === 0) return choose(g);
  const all = g.op('Slice', [cumulated, g.ints([size! - 1]), g.ints([size!]), g.ints([1])]);
  const least = g.op('Neg', [g.op('ReduceMax', [g.op('Neg', [all]), g.ints([0, 1])], { keepdims: 0 })]);
  const enough = g.op('Or', [g.op('GreaterOrEqual', [least, topP]), g.op('LessOrEqual', [topK, g.scalar(size!)])]);
  return g.cond(
    enough,
    b => [choose(b)],
    b => [nucleus(b, probabilities, larger, inputs)],
  )[0]!;
}

/**
 * @param logits [rows, V]
 * @returns tokens int64 [rows] and their log-probabilities [rows]
 */
export function sample(
  g: Graph,
  mode: SamplingMode,
  logits: Value,
  inputs: SamplingInputs,
): { tokens: Value; logprobs: Value } {
  const logprobs = g.op('LogSoftmax', [g.op('Mul', [logits, inputs.inverseTemperature])], { axis: -1 });
  const probabilities = g.op('Exp', [logprobs]);
  const within = mode === 'within nucleus';
  const chosen = CHOICES[within ? 'truncated' : mode](g, { logprobs, probabilities }, inputs);
  const rows = logits.shape[0]!;
  const reported = within
    ? withinNucleus(g, logprobs, probabilities, chosen, inputs).logprobs
    : g.op('GatherElements', [logprobs, chosen], { axis: 1 });
  return {
    tokens: g.reshape(chosen, [rows]),
    logprobs: g.reshape(reported, [rows]),
  };
}
