/** The logged steps of a stage's attempt as rows of numbers: kept small, since they are all kept. */
import pMap from 'p-map';
import type { UpdateRecord } from '../../activities/artifacts/index.js';
import { entryAt, stepNumbers } from '../../activities/policies/index.js';
import { attemptUri, readLines, type StageAttempt, type Store, stepUri } from '../../activities/store/index.js';
import type { StepLine } from '../../activities/training/index.js';
import { LOGGED, type LoggedStep } from './curves.js';
import { isDamage } from './errors.js';
import { Recent } from './recent.js';

export interface StepRow {
  step: number;
  skipped: boolean;
  /** A number for each of LOGGED; NaN where there is none. */
  values: Float64Array;
}

/** Attempts whose rows are kept. */
const ATTEMPTS = 64;
const AT_ONCE = 8;

interface Kept {
  rows: Map<number, StepRow>;
  learningRate: number | null;
  /** The attempt is closed: there will be no other steps. */
  whole: boolean;
}

/** Logged steps never change: each is read once. */
export class StepRows {
  readonly #kept = new Recent<Kept>(ATTEMPTS);

  constructor(private readonly store: Store) {}

  /**
   * The logged steps of an attempt, in order: of an open one at most `most` are read now, spread over it, and the others
   * when it is asked for again.
   * @param problem told of each step that cannot be read; the others are given
   */
  async of(
    stage: StageAttempt,
    problem: (message: string) => void,
    most = Number.POSITIVE_INFINITY,
  ): Promise<{ rows: StepRow[]; unread: number }> {
    const kept = this.#kept.of(attemptUri(stage), () => ({
      rows: new Map(),
      learningRate: null,
      whole: false,
    }));
    if (!kept.whole) await this.#readClosed(stage, kept);
    const steps = kept.whole ? [] : (await stepNumbers(this.store, stage)).filter(step => !kept.rows.has(step));
    const chosen = spread(steps, most);
    await pMap(chosen, step => this.#read(stage, step, kept, problem), { concurrency: AT_ONCE });
    const rows = [...kept.rows.values()].sort((a, b) => a.step - b.step);
    return { rows, unread: steps.length - chosen.length };
  }

  /** Numbers of the logged steps: of the last one that has begun the update may be still to come. */
  async logged(stage: StageAttempt): Promise<number[]> {
    const steps = await stepNumbers(this.store, stage);
    const last = steps.at(-1);
    if (last === undefined || (await this.store.has(stepUri(stage, last, 'update.json')))) return steps;
    return steps.slice(0, -1);
  }

  /** An attempt that was closed has a line for each step in one file. */
  async #readClosed(stage: StageAttempt, kept: Kept): Promise<void> {
    try {
      const ref = await this.store.find(attemptUri(stage, 'steps.jsonl'));
      if (!ref) return;
      const lines = await readLines<StepLine>(this.store, ref);
      const first = lines[0] && (await entryAt(this.store, stage, lines[0].step));
      kept.learningRate = first?.record.inputs.settings.optimizer.learningRate ?? null;
      for (const line of lines) kept.rows.set(line.step, rowOf(line, kept));
      kept.whole = true;
    } catch (error) {
      // The steps themselves are there as well.
      if (!isDamage(error)) throw error;
    }
  }

  async #read(stage: StageAttempt, step: number, kept: Kept, problem: (message: string) => void): Promise<void> {
    try {
      const entry = await entryAt(this.store, stage, step);
      if (!entry) return;
      kept.learningRate = entry.record.inputs.settings.optimizer.learningRate;
      kept.rows.set(step, rowOf(entry.record, kept));
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
    }
  }
}

function rowOf(record: Pick<UpdateRecord, keyof Omit<LoggedStep, 'learningRate'>>, { learningRate }: Kept): StepRow {
  const step: LoggedStep = { ...record, learningRate };
  const values = Float64Array.from(LOGGED, ({ of }) => of(step) ?? Number.NaN);
  return { step: record.step, skipped: record.skipped !== null, values };
}

/** So many of them, evenly, the first and the last included. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, k) => all[Math.round((k * (all.length - 1)) / (most - 1))]!);
}
