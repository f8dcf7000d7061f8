/** Commands as a person may paste them, for what can be done to a run. */
import type { Progress } from '../../workflows/contract.js';

/** The Temporal CLI through longhaul, which finds the program and, when a local stack runs, its address. */
const TEMPORAL = 'npx longhaul temporal';

export function replayCommand(run: string, phase: number): string {
  return `${TEMPORAL} workflow update execute --workflow-id ${run} --name replayPhase --input '{"phase": ${phase}}'`;
}

export function resumeCommand(run: string): string {
  return `${TEMPORAL} workflow update execute --workflow-id ${run} --name resume`;
}

export function cancelCommand(run: string): string {
  return `${TEMPORAL} workflow cancel --workflow-id ${run}`;
}

/** What to do about a run that waits for a person. */
export function adviceLines(progress: Progress): string[] {
  const { run, state, stages, advice } = progress;
  const said = advice ? [advice] : [];
  if (state === 'paused') return ['', ...said, 'To go on:', `  ${resumeCommand(run)}`];
  const failed = stages.findLast(stage => stage.state === 'failed');
  if (!failed) return said;
  const phase = failed.kind === 'warmup' ? 0 : Number(failed.name.replace('phase-', ''));
  return [
    '',
    ...said,
    `To run ${failed.name} again from the policy it began with (settings may be changed: "overrides": {"rl.…": value}):`,
    `  ${replayCommand(run, phase)}`,
    'To give the run up:',
    `  ${cancelCommand(run)}`,
  ];
}

/** An argument as a POSIX shell reads it back. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
