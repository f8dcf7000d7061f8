/** Sampling beside an update. Of no dependence, for the workflow and its activity. */

/**
 * Whether the first round of the step that follows is sampled beside a step's update. A phase's last step has none in the
 * phase that follows it, and a step without signal makes no policy.
 */
export const samplesAhead = (
  { overlap, steps }: { overlap?: boolean | undefined; steps: number },
  { step, skipped }: { step: number; skipped: boolean },
): boolean => overlap === true && !skipped && step < steps;
