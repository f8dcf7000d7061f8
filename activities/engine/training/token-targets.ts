/** What a mini-batch's tokens are trained towards: rewards, weights and log-probabilities spread over them, in 64 bits until fed. */
import type { LossSettings, ScoredGroup, ScoredResponse } from '../protocol/index.js';
import { scaledBy } from './advantages.js';
import { rulesOf } from './algorithms.js';
import type { Objective } from './losses.js';
import { overlongPenalty } from './overlong.js';
import type { ObjectiveFeeds } from './trainer.js';

/** Arrays have one entry a response token, in the order of groups, responses, positions. */
export interface TokenTargets {
  /** The sampler's log-probabilities. */
  sampled: Float32Array;
  /** Log-probabilities that ratios are taken against. */
  old: Float32Array;
  /** Times the truncated importance weight, where there is one: a factor above 0 leaves what is clipped as it is. */
  advantages: Float32Array;
  weights: Float32Array;
  /** The reference policy's log-probabilities; null without a KL term. */
  reference: Float32Array | null;
  /** Mean of the shaped rewards, and groups among whose shaped rewards two differ. */
  reward: number;
  effectiveGroups: number;
}

/** What only a scoring pass can tell, of every response token. */
export interface Scores {
  /** Under the current weights: needed where the ratio is the sequence's. */
  current: Float32Array | null;
  /** Under the reference policy's: needed for a KL term. */
  reference: Float32Array | null;
}

export function tokenTargets(groups: readonly ScoredGroup[], settings: LossSettings, scores: Scores): TokenTargets {
  const rules = rulesOf(settings.algorithm);
  const rewards = groups.map(group => group.responses.map(r => shapedReward(r.reward, r.ids.length, settings)));
  const advantages = rewards.map((of, i) => groupAdvantages(of, settings, groups[i]!.deviation));
  const lengths = groups.map(group => group.responses.map(r => r.ids.length));
  const weights = rules.weights(lengths, settings);
  const spread = (value: (response: ScoredResponse, t: number, i: number, j: number) => number): Float32Array =>
    Float32Array.from(
      groups.flatMap((group, i) => group.responses.flatMap((r, j) => r.ids.map((_, t) => value(r, t, i, j)))),
    );
  const old = spread(({ logprobs, proximal }, t) => (proximal ?? logprobs)[t]!);
  return {
    sampled: spread(({ logprobs }, t) => logprobs[t]!),
    old: rules.ratio === 'sequence' ? againstSequences(scores.current!, old, lengths.flat()) : old,
    advantages: spread((response, t, i, j) => advantages[i]![j]! * importance(response, t, settings)),
    weights: spread((_response, _t, i, j) => weights[i]![j]!),
    reference: scores.reference,
    reward: rewards.flat().reduce((a, b) => a + b, 0) / rewards.flat().length,
    effectiveGroups: rewards.filter(group => group.some(r => r !== group[0])).length,
  };
}

/**
 * Of one group's responses, as the loss takes them.
 * @param rewards shaped
 * @param deviation of their task's rewards in the batch, where advantages are scaled by it
 */
export function groupAdvantages(
  rewards: readonly number[],
  { algorithm, maskNegative }: Pick<LossSettings, 'algorithm' | 'maskNegative'>,
  deviation?: number,
): number[] {
  const of = deviation === undefined ? rulesOf(algorithm).advantages : scaledBy(deviation);
  return maskNegative ? of(rewards).map(advantage => Math.max(advantage, 0)) : of(rewards);
}

/** What a response of `length` tokens counts for: with overlong shaping, less than its reward. */
export function shapedReward(reward: number, length: number, { overlong }: Pick<LossSettings, 'overlong'>): number {
  return reward + (overlong ? overlongPenalty(length, overlong) : 0);
}

/**
 * Truncated importance sampling between sampler and trainer, min(exp(trainer's - sampler's log-probability), cap), both
 * of the policy that sampled: Yao et al. 2025, "Your Efficient RL Framework Secretly Brings You Off-Policy RL Training"
 * (fengyao.notion.site/off-policy-rl).
 */
function importance({ logprobs, proximal }: ScoredResponse, t: number, { importanceCap }: LossSettings): number {
  return importanceCap ? Math.min(Math.exp(proximal![t]! - logprobs[t]!), importanceCap) : 1;
}

/**
 * GSPO's ratio (arXiv 2507.18071, eq. 7) s = exp(mean over the response of current - old) by way of the token's: against
 * current - log s every token's ratio is s, and s times the token's own gradient, averaged, is the gradient of s. Where a
 * truncated importance weight makes tokens of one response differ, this is the paper's GSPO-token (section 4.3).
 */
function againstSequences(current: Float32Array, old: Float32Array, lengths: readonly number[]): Float32Array {
  const against = new Float32Array(old.length);
  let start = 0;
  for (const length of lengths) {
    const end = start + length;
    let logRatio = 0;
    for (let t = start; t < end; t++) logRatio += (current[t]! - old[t]!) / length;
    for (let t = start; t < end; t++) against[t] = current[t]! - logRatio;
    start = end;
  }
  return against;
}

/** What the trainer minimises, and what it is fed. */
export function policyObjective(
  targets: TokenTargets,
  settings: LossSettings,
): { objective: Objective; fed: ObjectiveFeeds } {
  const { loss } = rulesOf(settings.algorithm);
  const { weights, old, advantages, reference } = targets;
  const fed: ObjectiveFeeds = {
    perToken: { weights, old, advantages },
    scalars: { ratio_low: 1 - settings.clipLow, ratio_high: 1 + settings.clipHigh },
  };
  if (!reference) return { objective: loss, fed };
  return {
    objective: `${loss} near reference`,
    fed: {
      perToken: { ...fed.perToken, reference },
      scalars: { ...fed.scalars, kl_coefficient: settings.kl!.coefficient },
    },
  };
}
