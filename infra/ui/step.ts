/** The page of one step: its groups in the order in which they were drawn, and what training made of each. */
import type { RolloutGroup, ScoredRollouts, StepSettings, UpdateRecord } from '../../activities/artifacts/index.js';
import { entryAt, stepNumbers } from '../../activities/policies/index.js';
import { readLines, type StageAttempt, type Store } from '../../activities/store/index.js';
import { NotThereError } from './errors.js';
import { stepRemarks } from './step-remarks.js';

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
  const rounds: { scored: ScoredRollouts[]; facts: GroupFacts[] }[] = [];
  for (const { rollouts, scores } of record.inputs.rounds) {
    const scored = await readLines<ScoredRollouts>(store, scores);
    rounds.push({ scored, facts: (await readLines<RolloutGroup>(store, rollouts)).map(factsOf) });
  }
  const groups = rounds.flatMap(({ scored, facts }, round) =>
    scored.map((group, line) => ({ group, round, line, facts: facts[line] ?? null })),
  );
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
    remarks: stepRemarks(record.inputs),
    examples: record.inputs.examples?.lines.length ?? 0,
    counts: record.counts,
    metrics: record.metrics,
    policy: record.result,
    groups: groups.map(({ group, round, line, facts }, k) => ({
      id: group.id,
      index: group.index,
      origin: group.origin,
      round,
      line,
      ...facts,
      dropped: group.dropped,
      reason: group.reason ?? null,
      isTrained: trained[k]!,
      meanReward: group.meanReward,
      rewards: group.responses.map(({ reward }) => reward ?? null),
    })),
  };
}

/** Lengths in tokens. */
interface GroupFacts {
  /** Where advantages are scaled by tasks. */
  task: string | null;
  promptTokens: number;
  longest: number;
  truncated: number;
}

function factsOf({ promptIds, responses, task }: RolloutGroup): GroupFacts {
  return {
    task: task ?? null,
    promptTokens: promptIds.length,
    longest: responses.reduce((most, { ids }) => Math.max(most, ids.length), 0),
    truncated: responses.filter(({ finish }) => finish === 'length').length,
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
