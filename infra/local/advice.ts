/** What can be done to a run that waits, as commands. */
import type { Progress } from '../../activities/contract/index.js';
import { temporalCommand } from './command-lines.js';

/** The run's own advice names the bare Temporal CLI, which may not be on the PATH. */
export function adviceLines({ run, state, advice }: Progress): string[] {
  const resume = `workflow update execute --workflow-id ${run} --name resume`;
  if (state === 'paused') return ['', 'Paused. To go on:', `  ${temporalCommand(resume)}`];
  if (advice === null) return [];
  const said = advice
    .split('\n')
    .map(line => line.replace(/^(\s*)temporal (.*)$/, (_, indent, rest) => indent + temporalCommand(rest)));
  return ['', ...said, 'To give the run up:', `  ${temporalCommand(`workflow cancel --workflow-id ${run}`)}`];
}
