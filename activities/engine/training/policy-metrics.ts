/** What an update reports of its tokens, from the trainer's log-probabilities: summed in token order, in 64 bits. */
import type { LossSettings, UpdateMetrics } from '../protocol/index.js';
import { rulesOf } from './algorithms.js';
import { POLICY_LOSSES, referenceDivergence } from './losses.js';
import type { TokenTargets } from './token-targets.js';

export type PolicyMetrics = Pick<
  UpdateMetrics,
  'loss' | 'clipFraction' | 'kl' | 'referenceKl' | 'logprobDifferenceMax' | 'logprobDifferenceMean'
>;

export function policyMetrics(logprobs: Float32Array, targets: TokenTargets, settings: LossSettings): PolicyMetrics {
  const { inNumbers } = POLICY_LOSSES[rulesOf(settings.algorithm).loss];
  const [low, high] = [1 - settings.clipLow, 1 + settings.clipHigh];
  const total = { loss: 0, clipped: 0, kl: 0, referenceKl: 0, difference: 0, largest: 0 };
  logprobs.forEach((logprob, t) => {
    const weight = targets.weights[t]!;
    const ratio = Math.exp(logprob - targets.old[t]!);
    const { term, clipped } = inNumbers({ logprob, ratio, advantage: targets.advantages[t]!, low, high });
    total.loss -= weight * term;
    total.clipped += clipped ? 1 : 0;
    if (targets.reference) {
      const divergence = referenceDivergence(logprob, targets.reference[t]!);
      total.loss += weight * settings.kl!.coefficient * divergence;
      total.referenceKl += divergence;
    }
    const difference = logprob - targets.sampled[t]!;
    total.kl += Math.expm1(difference) - difference;
    total.difference += Math.abs(difference);
    total.largest = Math.max(total.largest, Math.abs(difference));
  });
  return {
    loss: total.loss,
    clipFraction: total.clipped / logprobs.length,
    kl: total.kl / logprobs.length,
    ...(targets.reference && { referenceKl: total.referenceKl / logprobs.length }),
    logprobDifferenceMax: total.largest,
    logprobDifferenceMean: total.difference / logprobs.length,
  };
}
