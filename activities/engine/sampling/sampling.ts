/**
 * Choosing a token from logits inside the graph, by inverse CDF from one uniform number a token.
 *
 * The log-probability reported is that of the whole distribution at the sampling temperature, before top-p and top-k, or
 * that among the tokens kept, where the trainer takes its own so too: what its ratio needs.
 */
import { type Likeliest, leastKept, ofNucleus, type Truncation, withinNucleus } from '../autodiff/index.js';
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
export interface SamplingInputs extends Truncation {
  inverseTemperature: Value;
  uniform: Value;
}

/** [rows, V] */
interface Distribution {
  logprobs: Value;
  probabilities: Value;
}

/** Tokens as int64, and what is said of them: both [rows, 1]. */
interface Choice {
  tokens: Value;
  logprobs: Value;
}

type Choose = (g: Graph, distribution: Distribution, inputs: SamplingInputs) => Choice;

const column = (g: Graph, x: Value): Value => g.reshape(x, [x.shape[0]!, 1]);
const toInt = (g: Graph, x: Value): Value => g.op('Cast', [x], { to: 7 });

/** The first index whose cumulative weight exceeds `threshold`, at most `last`. Rounding cannot step over the end. */
function invert(g: Graph, cumulated: Value, threshold: Value, last: Value): Value {
  const below = g.op('Cast', [g.op('LessOrEqual', [cumulated, threshold])], { to: 1 });
  return toInt(g, g.op('Min', [g.sum(below, [1]), last]));
}

/** A draw from the nucleus: int64 [rows, 1]. */
function drawn(g: Graph, { cumulated, order, last }: Likeliest, uniform: Value): Value {
  const mass = g.op('GatherElements', [cumulated, toInt(g, last)], { axis: 1 });
  const rank = invert(g, cumulated, g.op('Mul', [column(g, uniform), mass]), last);
  return g.op('GatherElements', [order, rank], { axis: 1 });
}

const amongAll = (g: Graph, { logprobs }: Distribution, tokens: Value): Choice => ({
  tokens,
  logprobs: g.op('GatherElements', [logprobs, tokens], { axis: 1 }),
});

const CHOICES: Record<SamplingMode, Choose> = {
  greedy: (g, all) => amongAll(g, all, column(g, g.op('ArgMax', [all.logprobs], { axis: 1, keepdims: 0 }))),

  full: (g, all, { uniform }) => {
    const vocabulary = all.probabilities.shape[1] as number;
    const cumulated = g.op('CumSum', [all.probabilities, g.scalar(1, 'int64')]);
    const total = g.op('Slice', [cumulated, g.ints([vocabulary - 1]), g.ints([vocabulary]), g.ints([1])]);
    const threshold = g.op('Mul', [column(g, uniform), total]);
    return amongAll(g, all, invert(g, cumulated, threshold, g.scalar(vocabulary - 1)));
  },

  truncated: (g, all, inputs) => {
    const [tokens] = ofNucleus(g, all.probabilities, inputs, (b, likeliest) => [drawn(b, likeliest, inputs.uniform)]);
    return amongAll(g, all, tokens!);
  },

  'within nucleus': (g, all, inputs) => {
    const [tokens, least] = ofNucleus(g, all.probabilities, inputs, (b, likeliest) => [
      drawn(b, likeliest, inputs.uniform),
      leastKept(b, likeliest),
    ]);
    return { tokens: tokens!, logprobs: withinNucleus(g, all, tokens!, least!).logprobs };
  },
};

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
  const choice = CHOICES[mode](g, { logprobs, probabilities }, inputs);
  const rows = logits.shape[0]!;
  return { tokens: g.reshape(choice.tokens, [rows]), logprobs: g.reshape(choice.logprobs, [rows]) };
}
