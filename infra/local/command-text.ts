/** Commands as a person may paste them, for what can be done to a run. */
import type { Progress } from '../../activities/contract/index.js';

/** The Temporal CLI through longhaul, which finds the program and, when a local stack runs, its address. */
const TEMPORAL = 'npx longhaul temporal';

export function resumeCommand(run: string): string {
  return `${TEMPORAL} workflow update execute --workflow-id ${run} --name resume`;
}

export function cancelCommand(run: string): string {
  return `${TEMPORAL} workflow cancel --workflow-id ${run}`;
}

/** What to do about a run that waits for a person. The run's own advice names the bare Temporal CLI, which may not be on the PATH. */
export function adviceLines({ run, state, advice }: Progress): string[] {
  if (state === 'paused') return ['', 'Paused. To go on:', `  ${resumeCommand(run)}`];
  if (advice === null) return [];
  const said = advice.split('\n').map(line => line.replace(/^(\s*)temporal /, `$1${TEMPORAL} `));
  return ['', ...said, 'To give the run up:', `  ${cancelCommand(run)}`];
}

/** An argument as a POSIX shell reads it back. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
