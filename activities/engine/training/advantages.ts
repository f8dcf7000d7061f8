/** From the rewards of a group's responses to their advantages: how much better each was than its fellows. In 64 bits. */

/** Of one group. A response without fellows has advantage 0. */
export type Advantages = (rewards: readonly number[]) => number[];

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** A_i = (r_i - mean r) / (std r + 1e-6), std the sample one (n - 1): GRPO (arXiv 2402.03300, section 4.1.2). */
export const normalised: Advantages = rewards => {
  const mean = meanOf(rewards);
  if (rewards.length < 2) return rewards.map(() => 0);
  const variance = rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (rewards.length - 1);
  return rewards.map(r => (r - mean) / (Math.sqrt(variance) + 1e-6));
};

/** A_i = r_i - mean r: Dr. GRPO (arXiv 2503.20783), so that no question counts more for being nearly solved or hopeless. */
export const centred: Advantages = rewards => {
  const mean = meanOf(rewards);
  return rewards.map(r => r - mean);
};

/** A_i = r_i - mean of the others' r: RLOO (arXiv 2402.14740), a baseline that does not depend on the response itself. */
export const leaveOneOut: Advantages = rewards => {
  if (rewards.length < 2) return rewards.map(() => 0);
  const total = rewards.reduce((a, b) => a + b, 0);
  return rewards.map(r => r - (total - r) / (rewards.length - 1));
};
