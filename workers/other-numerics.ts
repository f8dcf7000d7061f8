/** Apart from the check itself, so that naming it does not load the worker's native library. */
import type { LogEntry } from '../activities/policies/index.js';
import { type CodeVersion, codeText } from '../activities/provenance/index.js';

/** A run under way, and its last step, which an engine of other numerics made. */
export interface ForeignRun {
  last: LogEntry;
  /** Whether the policy after that step can be loaded as it is: else it has to be rebuilt from the log. */
  snapshot: boolean;
}

/** Runs under way that this worker's engine would go on with in other bits. */
export class OtherNumericsError extends Error {
  override readonly name = 'OtherNumericsError';
  constructor(runs: readonly ForeignRun[], own: CodeVersion) {
    const { run, stage } = runs[0]!.last.stage;
    super(
      `${whoseNumerics(runs, own)}\nNo work was taken: a policy that must be rebuilt from its log would not come out as it ` +
        'was. One of these helps:\n' +
        '  start this worker with the earlier version, --provider, or kind of processor;\n' +
        `  end the run (temporal workflow terminate --workflow-id ${run} --reason upgrade)${branching(run, stage)};\n` +
        '  start with --accept-other-numerics (LONGHAUL_ACCEPT_OTHER_NUMERICS=1): this engine makes the next step. Then\n' +
        `${runs.map(foreign => `    ${consequence(foreign)}\n`).join('')}` +
        '  and longhaul verify, redoing steps with one engine, will find those of the other to differ.',
    );
  }
}

/** Which runs they are, with what made them, and what this engine is. */
export function whoseNumerics(runs: readonly ForeignRun[], own: CodeVersion): string {
  const lines = runs.map(({ last: { stage, step, record } }) => {
    const made = codeText(record.code!);
    return `  ${stage.run}, last at ${stage.stage}, step ${step}: ${made}\n`;
  });
  const count = runs.length === 1 ? 'a run under way was' : `${runs.length} runs under way were`;
  return `This engine computes other bits than the one by which ${count} made:\n${lines.join('')}  this one: ${codeText(own)}`;
}

/** What becomes of a run that is gone on with all the same. */
export function consequence({ last: { stage }, snapshot }: ForeignRun): string {
  return snapshot
    ? `${stage.run} goes on: its newest policy has a snapshot.`
    : `${stage.run} has to redo steps: where they come out otherwise ${stage.stage} fails, and the update replayPhase begins it again.`;
}

function branching(run: string, stage: string): string {
  return stage.startsWith('phase-') ? ` and branch off it (longhaul run --from ${run}/${stage} --name NAME)` : '';
}
