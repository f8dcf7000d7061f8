/**
 * The losses' derivatives by each token's log-probability, in numbers: what a trainer that differentiates log-probabilities
 * alone has to be told, token by token.
 */
import type { LossSettings } from '../protocol/index.js';
import { rulesOf } from './algorithms.js';
import { POLICY_LOSSES, referenceSlope } from './losses.js';
import type { TokenTargets } from './token-targets.js';

/**
 * dLoss/dlog p of every response token, in the targets' order.
 * @param logprobs the trainer's, under the weights that the step is taken from
 */
export function policySlopes(logprobs: Float32Array, targets: TokenTargets, settings: LossSettings): Float64Array {
  const { inNumbers } = POLICY_LOSSES[rulesOf(settings.algorithm).loss];
  const [low, high] = [1 - settings.clipLow, 1 + settings.clipHigh];
  return Float64Array.from(logprobs, (logprob, t) => {
    const ratio = Math.exp(logprob - targets.old[t]!);
    const { slope } = inNumbers({ logprob, ratio, advantage: targets.advantages[t]!, low, high });
    const away = targets.reference ? settings.kl!.coefficient * referenceSlope(logprob, targets.reference[t]!) : 0;
    return targets.weights[t]! * (away - slope);
  });
}
