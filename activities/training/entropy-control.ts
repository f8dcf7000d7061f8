/**
 * Adaptive entropy-controlled policy optimisation (AEPO: QwenLong-L1.5, arXiv 2512.12967): once a policy's entropy is above
 * an upper bound, responses of negative advantage teach nothing, until it is below a lower one. What pushes probability
 * away from what was said spreads it over everything else; what is right goes on being learned.
 */

import { overUpdates } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { LossSettings } from '../engine/protocol/index.js';
import { stepThatMade } from '../policies/index.js';
import type { RlSettings } from '../spec/index.js';
import type { Store } from '../store/index.js';

/**
 * Whether the step from `policy` masks them, from what the log says of the step that made it: the mean entropy of its
 * updates, and whether it did. So whoever makes the step again decides the same. The paper takes the batch's own entropy,
 * which is known only after its gradient.
 */
export async function entropyControl(
  store: Store,
  { aepo }: Pick<RlSettings, 'aepo'>,
  policy: PolicyRef,
): Promise<Pick<LossSettings, 'maskNegative'>> {
  if (!aepo) return {};
  const made = await stepThatMade(store, policy);
  // Of the warm-up's traces, which the policy did not say, the entropy is another.
  if (made?.inputs.settings.kind !== 'rl') return {};
  const { loss } = made.inputs.settings;
  return masks(overUpdates(made.metrics, 'entropy')!, Boolean(loss.maskNegative), aepo) ? { maskNegative: true } : {};
}

/** @param entropy mean over response tokens, in nats */
export const masks = (entropy: number, before: boolean, { high, low }: NonNullable<RlSettings['aepo']>): boolean =>
  entropy > high || (before && entropy >= low);
