/**
 * The losses that are differentiated, each a sum over response tokens. Everything that depends on whole responses and
 * groups is worked out in 64 bits (token-targets.ts) and fed a number a token; what is left is a few lines of graph, with
 * the same beside it in numbers for the metrics. Which algorithm minimises which is in algorithms.ts.
 */
import { stopGradient } from '../autodiff/index.js';
import type { Graph, Value } from '../graph/index.js';

/** A loss that is a sum over response tokens, each term a function of its own token's log-probability. */
export interface TokenLoss {
  /** Names of what is fed a number a token, and of what is fed once. */
  perToken: readonly string[];
  scalars: readonly string[];
  /**
   * @param logprobs [rows], the trainer's
   * @param fed what is named above: [rows] and rank 0
   * @returns these rows' part of the loss, rank 0
   */
  build(g: Graph, logprobs: Value, fed: (name: string) => Value): Value;
}

/** A loss -sum of weight times term. */
interface WeightedLoss {
  perToken: readonly string[];
  scalars: readonly string[];
  /** [rows] */
  term(g: Graph, logprobs: Value, fed: (name: string) => Value): Value;
}

/** What a token's term is made of, in numbers: its ratio unclipped, and the bounds. */
export interface TokenNumbers {
  logprob: number;
  ratio: number;
  advantage: number;
  low: number;
  high: number;
}

interface PolicyLoss extends WeightedLoss {
  /** The term in 64 bits, its derivative by the token's log-probability, and whether clipping changed it. */
  inNumbers(token: TokenNumbers): { term: number; slope: number; clipped: boolean };
}

/** The ratio to the policy that sampled, exp(log-probability - old), and the same within bounds. */
function ratios(g: Graph, logprobs: Value, fed: (name: string) => Value): { ratio: Value; clipped: Value } {
  const ratio = g.op('Exp', [g.op('Sub', [logprobs, fed('old')])]);
  return { ratio, clipped: g.op('Min', [g.op('Max', [ratio, fed('ratio_low')]), fed('ratio_high')]) };
}

const bounded = ({ ratio, low, high }: TokenNumbers): number => Math.min(Math.max(ratio, low), high);

const POLICY_FEEDS = { perToken: ['weights', 'old', 'advantages'], scalars: ['ratio_low', 'ratio_high'] } as const;

/** The policy-gradient losses, as objectives to ascend. */
export const POLICY_LOSSES = {
  /** min(rho A, clip(rho) A): PPO's (arXiv 1707.06347, eq. 7), where a clipped token has no gradient. */
  clipped: {
    ...POLICY_FEEDS,
    term: (g, logprobs, fed) => {
      const { ratio, clipped } = ratios(g, logprobs, fed);
      return g.op('Min', [g.op('Mul', [ratio, fed('advantages')]), g.op('Mul', [clipped, fed('advantages')])]);
    },
    inNumbers: token => {
      const [free, clipped] = [token.ratio * token.advantage, bounded(token) * token.advantage];
      return { term: Math.min(free, clipped), slope: clipped < free ? 0 : free, clipped: clipped < free };
    },
  },
  /** sg(clip(rho)) A log-probability: CISPO's (arXiv 2506.13585, eq. 4), where every token keeps a gradient. */
  reweighted: {
    ...POLICY_FEEDS,
    term: (g, logprobs, fed) => {
      const weight = stopGradient(g, ratios(g, logprobs, fed).clipped);
      return g.op('Mul', [g.op('Mul', [weight, fed('advantages')]), logprobs]);
    },
    inNumbers: token => {
      const slope = bounded(token) * token.advantage;
      return { term: slope * token.logprob, slope, clipped: bounded(token) !== token.ratio };
    },
  },
} satisfies Record<string, PolicyLoss>;

export type PolicyLossName = keyof typeof POLICY_LOSSES;

/** exp(d) - d - 1 with d = reference's minus the trainer's log-probability: never below 0, of mean KL(trainer || reference). */
export const referenceDivergence = (logprob: number, reference: number): number =>
  Math.expm1(reference - logprob) - (reference - logprob);

/** Its derivative by the trainer's log-probability. */
export const referenceSlope = (logprob: number, reference: number): number => -Math.expm1(reference - logprob);

/** Takes coefficient times that divergence off every term (GRPO, arXiv 2402.03300, eqs. 3 and 4). */
function nearReference({ perToken, scalars, term }: WeightedLoss): WeightedLoss {
  return {
    perToken: [...perToken, 'reference'],
    scalars: [...scalars, 'kl_coefficient'],
    term: (g, logprobs, fed) => {
      const difference = g.op('Sub', [fed('reference'), logprobs]);
      const divergence = g.op('Sub', [g.op('Sub', [g.op('Exp', [difference]), difference]), g.scalar(1)]);
      return g.op('Sub', [term(g, logprobs, fed), g.op('Mul', [fed('kl_coefficient'), divergence])]);
    },
  };
}

function weighted({ perToken, scalars, term }: WeightedLoss): TokenLoss {
  return {
    perToken,
    scalars,
    build: (g, logprobs, fed) =>
      g.op('Neg', [g.sum(g.op('Mul', [fed('weights'), term(g, logprobs, fed)]), [0], false)]),
  };
}

export const TOKEN_LOSSES = {
  /** With weights 1/(|y| batch) the mean of each example's mean negative log-likelihood. */
  likelihood: weighted({ perToken: ['weights'], scalars: [], term: (_g, logprobs) => logprobs }),
  clipped: weighted(POLICY_LOSSES.clipped),
  reweighted: weighted(POLICY_LOSSES.reweighted),
  'clipped near reference': weighted(nearReference(POLICY_LOSSES.clipped)),
  'reweighted near reference': weighted(nearReference(POLICY_LOSSES.reweighted)),
} satisfies Record<string, TokenLoss>;

export type Objective = keyof typeof TOKEN_LOSSES;
