/** Which questions each step drew, and what their responses were worth: from the steps' scores. */
import type { PoolEntry, ScoredRollouts } from '../../activities/artifacts/index.js';
import { attemptsOf } from '../../activities/policies/index.js';
import { readLines, type StageAttempt, type Store } from '../../activities/store/index.js';
import { Gathering } from './gathering.js';
import { loggedRecord } from './step.js';
import type { StepRows } from './step-rows.js';

/** A group of a step. */
export interface Drawn {
  round: number;
  line: number;
  /** Line of the sample in the run's training data. */
  index: number;
  id: string;
  origin: PoolEntry['origin'];
  meanReward: number | null;
  rewards: (number | null)[];
}

export interface DrawnAt extends Drawn {
  stage: string;
  attempt: number;
  step: number;
}

export class Draws {
  readonly #gathering: Gathering<Drawn[]>;

  constructor(
    private readonly store: Store,
    private readonly rows: StepRows,
  ) {
    this.#gathering = new Gathering(store, readDraws);
  }

  /** Of an attempt, in the order drawn; `missing` steps are still to be read. */
  async of(stage: StageAttempt, waitMs = 0): Promise<{ draws: DrawnAt[]; missing: number }> {
    const steps = await this.rows.logged(stage);
    const { known, missing } = await this.#gathering.of(stage, steps, waitMs);
    const { stage: name, attempt } = stage;
    const at = steps.flatMap(step => (known.get(step) ?? []).map(drawn => ({ stage: name, attempt, step, ...drawn })));
    return { draws: at, missing };
  }

  /** Every draw of one sample, in all attempts. */
  async ofSample(run: string, index: number, waitMs: number): Promise<{ draws: DrawnAt[]; missing: number }> {
    const draws: DrawnAt[] = [];
    let missing = 0;
    for (const stage of await attemptsOf(this.store, run)) {
      if (stage.stage === 'warmup') continue;
      const found = await this.of(stage, waitMs);
      draws.push(...found.draws.filter(drawn => drawn.index === index));
      missing += found.missing;
    }
    return { draws, missing };
  }
}

async function readDraws(store: Store, stage: StageAttempt, step: number): Promise<Drawn[]> {
  const { inputs } = await loggedRecord(store, { stage, step });
  const drawn: Drawn[] = [];
  for (const [round, { scores }] of inputs.rounds.entries()) {
    const groups = await readLines<ScoredRollouts>(store, scores);
    for (const [line, { index, id, origin, meanReward, responses }] of groups.entries()) {
      const rewards = responses.map(({ reward }) => reward ?? null);
      drawn.push({ round, line, index, id, origin, meanReward, rewards });
    }
  }
  return drawn;
}
