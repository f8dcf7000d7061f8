/** The page of one step: its groups in the order in which they were drawn, and what training made of each. */
import type { ScoredRollouts, StepSettings, UpdateRecord } from '../../activities/artifacts/index.js';
import { entryAt, stepNumbers } from '../../activities/policies/index.js';
import { readLines, type StageAttempt, type Store } from '../../activities/store/index.js';
import { NotThereError } from './errors.js';

export interface StepAt {
  stage: StageAttempt;
  step: number;
}

/** @throws NotThereError for a step that is not logged (yet) */
export async function loggedRecord(store: Store, { stage, step }: StepAt): Promise<UpdateRecord> {
  const entry = await entryAt(store, stage, step);
  if (entry) return entry.record;
  const { run, stage: name, attempt } = stage;
  throw new NotThereError(`The run "${run}" has logged no step ${step} of ${name}, attempt ${attempt}.`);
}

export async function stepPage(store: Store, at: StepAt) {
  const record = await loggedRecord(store, at);
  const steps = await stepNumbers(store, at.stage);
  const place = steps.indexOf(at.step);
  const rounds = await Promise.all(record.inputs.rounds.map(({ scores }) => readLines<ScoredRollouts>(store, scores)));
  const groups = rounds.flatMap((groups, round) => groups.map((group, line) => ({ group, round, line })));
  const trained = trainedAmong(
    groups.map(({ group }) => group),
    record,
  );
  return {
    ...at.stage,
    step: at.step,
    previous: steps[place - 1] ?? null,
    next: steps[place + 1] ?? null,
    skipped: record.skipped,
    settings: record.inputs.settings,
    examples: record.inputs.examples?.lines.length ?? 0,
    counts: record.counts,
    groups: groups.map(({ group, round, line }, k) => ({
      id: group.id,
      origin: group.origin,
      round,
      line,
      dropped: group.dropped,
      reason: group.reason ?? null,
      isTrained: trained[k]!,
      meanReward: group.meanReward,
      rewards: group.responses.map(({ reward }) => reward ?? null),
    })),
  };
}

/** Which of a step's groups, in the order drawn, its updates were made from. */
export function trainedAmong(
  groups: readonly ScoredRollouts[],
  { inputs: { settings }, skipped }: UpdateRecord,
): boolean[] {
  if (settings.kind !== 'rl' || skipped) return groups.map(() => false);
  let places = settings.take === 'effective' ? settings.groups : Number.POSITIVE_INFINITY;
  return groups.map(({ dropped }) => isTaken(dropped, settings) && places-- > 0);
}

function isTaken(dropped: ScoredRollouts['dropped'], { take }: Extract<StepSettings, { kind: 'rl' }>): boolean {
  return dropped === null || (take === 'all' && dropped !== 'unscored');
}
