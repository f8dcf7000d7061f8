/** The page of all runs: what the store has, and what the server says of them. */
import { type Store, storeUri } from '../../activities/store/index.js';
import { isDamage, NotThereError } from './errors.js';
import type { LiveRuns } from './live.js';
import type { Score, Scores } from './scores.js';
import { type StoredRun, storedRun } from './stages.js';

export interface RunSummary {
  run: string;
  /** As the server has it; of a run that it does not know, `done` or `unfinished`. */
  state: string;
  /** The stage that it has come to; null before the first. */
  stage: { name: string; steps: number; planned: number | null } | null;
  steps: number;
  /** Of the policy evaluated last. */
  scores: Score[];
  begun: string | null;
  latest: string | null;
  problems: string[];
}

/** The one that published last comes first. */
export async function runsPage(store: Store, live: LiveRuns, scores: Scores) {
  const [names, server] = await Promise.all([store.list(storeUri('runs')), live.states()]);
  const runs = await Promise.all(names.map(run => summaryOf(store, run, server.states.get(run) ?? null, scores)));
  const time = ({ latest, begun }: RunSummary) => latest ?? begun ?? '';
  return { runs: runs.sort((a, b) => time(b).localeCompare(time(a))), note: server.note };
}

async function summaryOf(store: Store, run: string, state: string | null, scores: Scores): Promise<RunSummary> {
  try {
    const stored = await storedRun(store, run);
    const problems: string[] = [];
    const rows = await scores.of(store, run, message => problems.push(message));
    const last = rows.at(-1)?.policy;
    return {
      run,
      state: stateOf(stored, state),
      stage: stageOf(stored),
      steps: stored.stages.reduce((sum, { steps }) => sum + steps, 0),
      scores: rows.filter(({ policy }) => policy === last),
      begun: stored.begun,
      latest: stored.latest,
      problems,
    };
  } catch (error) {
    if (!isDamage(error) && !(error instanceof NotThereError)) throw error;
    const nothing = { stage: null, steps: 0, scores: [], begun: null, latest: null };
    return { run, state: state ?? 'unfinished', ...nothing, problems: [error.message] };
  }
}

/** The store's word counts for more: a run may be finished by a server of which nothing is left. */
export function stateOf({ isDone }: StoredRun, state: string | null): string {
  if (isDone) return 'done';
  return state ?? 'unfinished';
}

function stageOf({ stages }: StoredRun): RunSummary['stage'] {
  const last = stages.at(-1);
  return last ? { name: last.stage.stage, steps: last.steps, planned: last.planned } : null;
}
