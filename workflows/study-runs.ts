/**
 * What a study knows of its runs: which wait, which are under way, whose turn it is; the answer to `progress`, and the
 * messages by which it is paused, resumed and extended. So study.ts reads as what happens.
 */
import {
  ApplicationFailure,
  type ChildWorkflowHandle,
  defineQuery,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setHandler,
  type Workflow,
} from '@temporalio/workflow';
import type { Cell, CellProgress, StudyProgress, StudySpecInput, StudyState } from '../activities/contract/index.js';
import type { StudyPlan } from '../activities/studies/index.js';
import { setPaused, turnGiven, turnOver, turnWanted } from './messages.js';

export const studyProgress = defineQuery<StudyProgress>('progress');
export const pauseStudy = defineUpdate<StudyState>('pause');
export const resumeStudy = defineUpdate<StudyState>('resume');
/** With further variants, seeds or hypotheses; what there is stays. */
export const extendStudy = defineUpdate<{ runs: number }, [StudySpecInput]>('extend');

export class StudyRuns {
  plan!: StudyPlan;
  private readonly cells: CellProgress[] = [];
  private readonly children = new Map<string, ChildWorkflowHandle<Workflow>>();
  private readonly turns = new Turns();
  private state: StudyState = 'preparing';
  private paused = false;
  private report: string | null = null;

  constructor(
    private readonly study: string,
    prepare: (input: StudySpecInput) => Promise<StudyPlan>,
  ) {
    setHandler(studyProgress, () => this.progress());
    setHandler(pauseStudy, () => this.setPaused(true));
    setHandler(resumeStudy, () => this.setPaused(false));
    setHandler(extendStudy, async input => {
      try {
        this.extend(await prepare(input));
      } catch (error) {
        throw ApplicationFailure.nonRetryable(rootCause(error) ?? String(error), 'ExtensionRefused');
      }
      return { runs: this.cells.length };
    });
    setHandler(turnWanted, (run, key) => this.turns.want(run, key));
    setHandler(turnOver, (run, key) => this.turns.end(run, key));
  }

  get waiting(): boolean {
    return this.cells.some(({ state }) => state === 'waiting');
  }

  get failed(): { run: string; error: string }[] {
    return this.cells.flatMap(({ run, state, error }) => (state === 'failed' ? [{ run, error: error ?? '' }] : []));
  }

  /** Takes up a plan: the first, or one with more in it. */
  extend(plan: StudyPlan): void {
    this.plan = plan;
    for (const { done, ...cell } of plan.cells) {
      if (this.cells.some(({ run }) => run === cell.run)) continue;
      this.cells.push({ ...cell, state: done ? 'done' : 'waiting', error: null });
    }
    if (this.state === 'preparing') this.state = 'running';
  }

  mayStart(underWay: number): boolean {
    return this.waiting && !this.paused && underWay < this.plan.atOnce;
  }

  /** The next to begin; null where none waits. */
  next(): Cell | null {
    this.state = 'running';
    const cell = this.cells.find(({ state }) => state === 'waiting');
    if (!cell) return null;
    cell.state = 'running';
    return cell;
  }

  async began({ run }: Cell, child: ChildWorkflowHandle<Workflow>): Promise<void> {
    this.children.set(run, child);
    // A pause that came while it was starting found nobody to tell.
    if (this.paused) await this.tell(child);
  }

  ended({ run }: Cell, error: unknown): void {
    this.children.delete(run);
    this.turns.gone(run);
    const cell = this.cells.find(one => one.run === run)!;
    Object.assign(
      cell,
      error === null ? { state: 'done' } : { state: 'failed', error: rootCause(error) ?? `${error}` },
    );
    if (error !== null) log.warn(`${run} failed`, { error: cell.error });
  }

  reporting(): void {
    this.state = 'reporting';
  }

  finish(report: string): void {
    this.state = 'done';
    this.report = report;
  }

  private progress(): StudyProgress {
    const { study, cells, report } = this;
    return { study, state: this.shownState, cells, report };
  }

  private get shownState(): StudyState {
    return this.paused && this.state === 'running' ? 'paused' : this.state;
  }

  private async setPaused(paused: boolean): Promise<StudyState> {
    this.paused = paused;
    await Promise.all([...this.children.values()].map(child => this.tell(child)));
    return this.shownState;
  }

  private async tell(child: ChildWorkflowHandle<Workflow>): Promise<void> {
    try {
      await child.signal(setPaused, this.paused);
    } catch (error) {
      log.info('The run ended before it could be told of the pause', { error: String(error) });
    }
  }
}

/** Of the runs that would make the same thing, one at a time. */
class Turns {
  /** By what would be made: the run that is at it, then those that wait. */
  private readonly queues = new Map<string, string[]>();
  /** What some run has been at. */
  private readonly over = new Set<string>();

  want(run: string, key: string): void {
    const queue = this.queues.get(key) ?? [];
    this.queues.set(key, queue);
    queue.push(run);
    if (queue.length === 1) this.give(run, key);
  }

  end(run: string, key: string): void {
    const queue = this.queues.get(key) ?? [];
    const at = queue.indexOf(run);
    if (at < 0) return;
    queue.splice(at, 1);
    this.over.add(key);
    if (queue.length === 0) this.queues.delete(key);
    else if (at === 0) this.give(queue[0]!, key);
  }

  /** A run that has ended has no turns, nor waits for any. */
  gone(run: string): void {
    for (const key of [...this.queues.keys()]) this.end(run, key);
  }

  private give(run: string, key: string): void {
    getExternalWorkflowHandle(run)
      .signal(turnGiven, key, this.over.has(key))
      .catch((error: unknown) => {
        log.info('A run ended before its turn came', { error: String(error) });
        this.end(run, key);
      });
  }
}
