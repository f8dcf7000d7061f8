/** From the rewards of a group's responses to their advantages: how much better each was than its fellows. In 64 bits. */

/** Of one group. A response without fellows has advantage 0. */
export type Advantages = (rewards: readonly number[]) => number[];

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The sample one (n - 1); 0 of a single value. */
function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** A_i = (r_i - mean r) / (std r + 1e-6), std the sample one (n - 1): GRPO (arXiv 2402.03300, section 4.1.2). */
export const normalised: Advantages = rewards => {
  const mean = meanOf(rewards);
  if (rewards.length < 2) return rewards.map(() => 0);
  const deviation = deviationOf(rewards);
  return rewards.map(r => (r - mean) / (deviation + 1e-6));
};

/**
 * A_i = (r_i - mean r) / (std + 1e-6), std that of all rewards of the group's task in the batch (QwenLong-L1.5, arXiv
 * 2512.12967): tasks whose rewards lie close together do not outweigh the others for it.
 */
export const scaledBy =
  (deviation: number): Advantages =>
  rewards =>
    centred(rewards).map(advantage => advantage / (deviation + 1e-6));

/** Of all rewards of each task, over its groups: the sample deviation (n - 1); 0 of a single reward. */
export function taskDeviations(groups: readonly { task: string; rewards: readonly number[] }[]): Map<string, number> {
  const byTask = new Map<string, number[]>();
  for (const { task, rewards } of groups) byTask.set(task, [...(byTask.get(task) ?? []), ...rewards]);
  return new Map([...byTask].map(([task, rewards]) => [task, deviationOf(rewards)]));
}

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
