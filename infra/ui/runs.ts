/** The page of all runs: what the store has, and what the server says of them. */
import pMap from 'p-map';
import { type Store, storeUri } from '../../activities/store/index.js';
import { isDamage, NotThereError } from './errors.js';
import type { LiveRuns } from './live.js';
import { Recent } from './recent.js';
import type { Score, Scores } from './scores.js';
import { type StoredRun, storedRun } from './stages.js';

export interface RunSummary {
  run: string;
  /** As the server has it; of a run that it does not know, `done` or `unfinished`. */
  state: string;
  /** The stage that it has come to; null before the first. */
  stage: { name: string; steps: number; planned: number | null } | null;
  steps: number;
  /** Of all its stages; null where the store does not say. */
  planned: number | null;
  /** Of the policy evaluated last. */
  scores: Score[];
  begun: string | null;
  latest: string | null;
  problems: string[];
}

const AT_ONCE = 16;
const RUNS = 1024;

export class RunSummaries {
  /** A finished run stays as it is. */
  readonly #finished = new Recent<RunSummary>(RUNS);

  constructor(
    private readonly store: Store,
    private readonly live: LiveRuns,
    private readonly scores: Scores,
  ) {}

  /** The one that published last comes first. */
  async all() {
    const [names, server] = await Promise.all([this.store.list(storeUri('runs')), this.live.states()]);
    const runs = await pMap(names, run => this.#of(run, server.states.get(run) ?? null), { concurrency: AT_ONCE });
    const time = ({ latest, begun }: RunSummary) => latest ?? begun ?? '';
    return { runs: runs.sort((a, b) => time(b).localeCompare(time(a))), note: server.note };
  }

  async #of(run: string, state: string | null): Promise<RunSummary> {
    const known = this.#finished.get(run);
    if (known) return known;
    try {
      const stored = await storedRun(this.store, run);
      const problems: string[] = [];
      const summary = {
        run,
        state: stateOf(stored, state),
        stage: stageOf(stored),
        steps: stored.stages.reduce((sum, { steps }) => sum + steps, 0),
        planned: stored.planned,
        scores: await this.scores.last(run, stored.isDone, message => problems.push(message)),
        begun: stored.begun,
        latest: stored.latest,
        problems,
      };
      if (stored.isDone && problems.length === 0) this.#finished.set(run, summary);
      return summary;
    } catch (error) {
      if (!isDamage(error) && !(error instanceof NotThereError)) throw error;
      const nothing = { stage: null, steps: 0, planned: null, scores: [], begun: null, latest: null };
      return { run, state: state ?? 'unfinished', ...nothing, problems: [error.message] };
    }
  }
}

/** The store's word counts for more: a run may be finished by a server of which nothing is left. */
export function stateOf({ isDone }: Pick<StoredRun, 'isDone'>, state: string | null): string {
  if (isDone) return 'done';
  return state ?? 'unfinished';
}

function stageOf({ stages }: StoredRun): RunSummary['stage'] {
  const last = stages.at(-1);
  return last ? { name: last.stage.stage, steps: last.steps, planned: last.planned } : null;
}
