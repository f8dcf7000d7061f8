/**
 * The losses: warm-up SFT, GRPO and DAPO (QwenLong-L1, arXiv 2505.17667; GRPO arXiv 2402.03300; DAPO arXiv 2503.14476).
 *
 * Everything that depends on whole responses and groups (advantages, how much each token counts) is worked out here in
 * 64 bits and fed to the graph a number a token; what is differentiated is a few lines of graph.
 */
import type { Graph, Value } from './graph/graph.js';
import type { Algorithm, LossSettings, OverlongSettings, ScoredGroup } from './protocol.js';

/** The paper's clip ranges by algorithm: GRPO 0.2/0.2, DAPO's clip-higher 0.2/0.28. */
export const CLIP_RANGES: Record<Algorithm, { clipLow: number; clipHigh: number }> = {
  grpo: { clipLow: 0.2, clipHigh: 0.2 },
  dapo: { clipLow: 0.2, clipHigh: 0.28 },
};

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

const weightedSum = (g: Graph, weights: Value, terms: Value): Value =>
  g.op('Neg', [g.sum(g.op('Mul', [weights, terms]), [0], false)]);

export const TOKEN_LOSSES = {
  /** -sum of weight times log-probability: with weights 1/(|y| batch) the mean of each example's mean NLL. */
  likelihood: {
    perToken: ['weights'],
    scalars: [],
    build: (g, logprobs, fed) => weightedSum(g, fed('weights'), logprobs),
  },
  /** -sum of weight times min(rho A, clip(rho) A) with rho = exp(log-probability - the sampler's). */
  clipped: {
    perToken: ['weights', 'sampled', 'advantages'],
    scalars: ['ratio_low', 'ratio_high'],
    build: (g, logprobs, fed) => {
      const ratio = g.op('Exp', [g.op('Sub', [logprobs, fed('sampled')])]);
      const clipped = g.op('Min', [g.op('Max', [ratio, fed('ratio_low')]), fed('ratio_high')]);
      const term = g.op('Min', [g.op('Mul', [ratio, fed('advantages')]), g.op('Mul', [clipped, fed('advantages')])]);
      return weightedSum(g, fed('weights'), term);
    },
  },
} satisfies Record<string, TokenLoss>;

export type Objective = keyof typeof TOKEN_LOSSES;

/** DAPO's soft overlong punishment (eq. 13), `length` in tokens: 0, then falling to -1 at maxLength, -1 beyond. */
export function overlongPenalty(length: number, { maxLength, cache }: OverlongSettings): number {
  if (length <= maxLength - cache) return 0;
  return length <= maxLength ? (maxLength - cache - length) / cache : -1;
}

/** A_i = (r_i - mean r) / (std r + 1e-6), std the sample one (n - 1). A single response has advantage 0. */
export function groupAdvantages(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((a, b) => a + b, 0) / rewards.length;
  if (rewards.length < 2) return rewards.map(() => 0);
  const variance = rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (rewards.length - 1);
  return rewards.map(r => (r - mean) / (Math.sqrt(variance) + 1e-6));
}

/** How much each token of each response counts; the weights of a mini-batch sum to 1. One row a group: one weight a response. */
type TokenWeighting = (lengths: readonly (readonly number[])[]) => number[][];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Mean over groups of the mean over responses of the mean over tokens (GRPO, eq. 3; SFT with one response a group). */
export const sequenceMean: TokenWeighting = lengths =>
  lengths.map(group => group.map(length => 1 / (length * group.length * lengths.length)));

const TOKEN_MEANS: Record<LossSettings['tokenMean'], TokenWeighting> = {
  group: lengths => lengths.map(group => group.map(() => 1 / (sum(group) * lengths.length))),
  batch: lengths => lengths.map(group => group.map(() => 1 / sum(lengths.map(sum)))),
};

const WEIGHTINGS: Record<Algorithm, (settings: LossSettings) => TokenWeighting> = {
  grpo: () => sequenceMean,
  dapo: settings => TOKEN_MEANS[settings.tokenMean],
};

export interface TokenTargets {
  /** One entry a response token, in the order of groups, responses, positions. */
  sampled: Float32Array;
  advantages: Float32Array;
  weights: Float32Array;
  /** Mean of the shaped rewards, and groups among whose shaped rewards two differ. */
  reward: number;
  effectiveGroups: number;
}

/** Spreads rewards and settings over the tokens of a mini-batch. */
export function tokenTargets(groups: readonly ScoredGroup[], settings: LossSettings): TokenTargets {
  const rewards = groups.map(group =>
    group.responses.map(r => r.reward + (settings.overlong ? overlongPenalty(r.ids.length, settings.overlong) : 0)),
  );
  const advantages = rewards.map(groupAdvantages);
  const weights = WEIGHTINGS[settings.algorithm](settings)(groups.map(group => group.responses.map(r => r.ids.length)));
  const spread = (value: (group: number, response: number, token: number) => number): Float32Array =>
    Float32Array.from(
      groups.flatMap((group, i) => group.responses.flatMap((r, j) => r.ids.map((_, t) => value(i, j, t)))),
    );
  return {
    sampled: spread((i, j, t) => groups[i]!.responses[j]!.logprobs[t]!),
    advantages: spread((i, j) => advantages[i]![j]!),
    weights: spread((i, j) => weights[i]![j]!),
    reward: sum(rewards.flat()) / rewards.flat().length,
    effectiveGroups: rewards.filter(group => group.some(r => r !== group[0])).length,
  };
}

export interface RatioMetrics {
  loss: number;
  clipFraction: number;
  kl: number;
  logprobDifferenceMax: number;
  logprobDifferenceMean: number;
}

/** What the update reports of its tokens, from the trainer's log-probabilities. Summed in token order, in 64 bits. */
export function policyMetrics(logprobs: Float32Array, targets: TokenTargets, settings: LossSettings): RatioMetrics {
  const total = { loss: 0, clipped: 0, kl: 0, difference: 0, largest: 0 };
  logprobs.forEach((logprob, t) => {
    const difference = logprob - targets.sampled[t]!;
    const advantage = targets.advantages[t]!;
    const ratio = Math.exp(difference);
    const bounded = Math.min(Math.max(ratio, 1 - settings.clipLow), 1 + settings.clipHigh);
    total.loss -= targets.weights[t]! * Math.min(ratio * advantage, bounded * advantage);
    total.clipped += bounded * advantage < ratio * advantage ? 1 : 0;
    total.kl += Math.expm1(difference) - difference;
    total.difference += Math.abs(difference);
    total.largest = Math.max(total.largest, Math.abs(difference));
  });
  return {
    loss: total.loss,
    clipFraction: total.clipped / logprobs.length,
    kl: total.kl / logprobs.length,
    logprobDifferenceMax: total.largest,
    logprobDifferenceMean: total.difference / logprobs.length,
  };
}
