/** The order of a run's stages, and after which of them its policy is evaluated. */

/** 0 for the warm-up, then the phase's number. */
export const stageNumber = (stage: string): number => (stage === 'warmup' ? 0 : Number(stage.slice('phase-'.length)));

/** What the policy after a stage is called. @param isLast the last stage's policy is the final one */
export function labelAfter(stage: string, isLast: boolean): string {
  if (isLast) return 'final';
  return stage === 'warmup' ? 'sft' : stage;
}

/** Whether a run evaluates the policy of that label. */
export function isEvaluated(
  { evaluate, data }: { evaluate: readonly string[]; data: { sets: readonly unknown[] } },
  label: string,
): boolean {
  if (data.sets.length === 0) return false;
  if (label === 'base' || label === 'sft') return evaluate.includes(label);
  return evaluate.includes('phases') || (label === 'final' && evaluate.includes('final'));
}
