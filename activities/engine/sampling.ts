/**
 * Choosing a token from logits inside the graph, by inverse CDF from one uniform number a token.
 *
 * The log-probability reported is that of the whole distribution at the sampling temperature, before top-p and top-k:
 * what the trainer's ratio needs.
 */
import type { Graph, Value } from './graph/graph.js';
import type { SamplingSettings } from './protocol.js';

/** Which graph a request needs: sorting the vocabulary is dear, so only truncated sampling does it. */
export type SamplingMode = 'greedy' | 'full' | 'truncated';

export function samplingMode({ temperature, topP, topK }: SamplingSettings): SamplingMode {
  if (temperature === 0) return 'greedy';
  return topP < 1 || topK > 0 ? 'truncated' : 'full';
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

const CHOICES: Record<SamplingMode, Choose> = {
  greedy: (g, { logprobs }) => column(g, g.op('ArgMax', [logprobs], { axis: 1, keepdims: 0 })),

  full: (g, { probabilities }, { uniform }) => {
    const vocabulary = probabilities.shape[1] as number;
    const cumulated = cumulative(g, probabilities);
    const total = g.op('Slice', [cumulated, g.ints([vocabulary - 1]), g.ints([vocabulary]), g.ints([1])]);
    return invert(g, cumulated, g.op('Mul', [column(g, uniform), total]), g.scalar(vocabulary - 1));
  },

  // Nucleus sampling (arXiv 1904.09751): the fewest most likely tokens whose probability reaches topP, at most topK.
  truncated: (g, { probabilities }, { topP, topK, uniform }) => {
    const [sorted, order] = g.ops('TopK', [probabilities, g.ints([probabilities.shape[1] as number])], {
      axis: 1,
      largest: 1,
      sorted: 1,
    });
    const cumulated = cumulative(g, sorted!);
    const before = g.op('Sub', [cumulated, sorted!]);
    const inNucleus = countTrue(g, g.op('Less', [before, topP]));
    const last = g.op('Sub', [g.op('Min', [inNucleus, topK]), g.scalar(1)]);
    const mass = g.op('GatherElements', [cumulated, toInt(g, last)], { axis: 1 });
    const rank = invert(g, cumulated, g.op('Mul', [column(g, uniform), mass]), last);
    return g.op('GatherElements', [order!, rank], { axis: 1 });
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
  const chosen = CHOICES[mode](g, { logprobs, probabilities: g.op('Exp', [logprobs]) }, inputs);
  const rows = logits.shape[0]!;
  return {
    tokens: g.reshape(chosen, [rows]),
    logprobs: g.reshape(g.op('GatherElements', [logprobs, chosen], { axis: 1 }), [rows]),
  };
}
