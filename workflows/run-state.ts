/**
 * What a run knows of itself: the answer to `progress`, whether it is paused, and whether it waits for a person. The
 * messages are handled here, so that curriculum.ts reads as the method alone.
 */
import {
  ApplicationFailure,
  type ChildWorkflowHandle,
  condition,
  defineQuery,
  defineUpdate,
  log,
  ParentClosePolicy,
  rootCause,
  setHandler,
  startChild,
  type Workflow,
  type WorkflowResultType,
} from '@temporalio/workflow';
import {
  type EvaluationRow,
  type PolicyRef,
  type Progress,
  type ReplayPhaseInput,
  type StageProgress,
  type RunState as State,
  stageNumber,
} from '../activities/contract/index.js';
import type { RunPlan, StageSettings } from '../activities/run/index.js';
import { exporting } from './exporting.js';
import { setPaused, stageReport } from './messages.js';
import { WorkClock } from './work-clock.js';

export const progress = defineQuery<Progress>('progress');
export const pause = defineUpdate<State>('pause');
export const resume = defineUpdate<State>('resume');
export const replayPhase = defineUpdate<{ phase: number; attempt: number }, [ReplayPhaseInput]>('replayPhase');

/** An attempt of a stage that is claimed and may start. */
export interface Attempt {
  attempt: number;
  settings: StageSettings;
}

/** Claims an attempt of a stage with overrides; fails if these are not valid. */
export type Claim = (attempt: number, overrides: Record<string, unknown>) => Promise<StageSettings>;

export class RunState {
  readonly clock = new WorkClock();
  private readonly progress: Progress;
  private paused = false;
  private finished = false;
  private child: ChildWorkflowHandle<Workflow> | null = null;
  private waiting: { stage: StageProgress; claim: Claim; next: Attempt | null; claiming: boolean } | null = null;

  constructor(run: string) {
    this.progress = { run, state: 'validating', stages: [], table: [], advice: null, policy: null };
    setHandler(progress, () => ({ ...this.progress, state: this.state }));
    setHandler(pause, () => this.setPaused(true));
    setHandler(resume, () => this.setPaused(false));
    setHandler(setPaused, async paused => {
      await this.setPaused(paused);
    });
    setHandler(stageReport, (name, report) => {
      // A reset hands the reports of the time before it again, ahead of the plan: they are news of stages yet to come.
      const stage = this.progress.stages.find(stage => stage.name === name);
      if (stage) stage.latest = report;
    });
    setHandler(replayPhase, input => this.replay(input), { validator: input => this.checkReplay(input) });
  }

  get table(): EvaluationRow[] {
    return this.progress.table;
  }

  /** Lays out the stages of the run, in order; the second time as if nothing had been done. */
  plan(stages: StageProgress[]): void {
    this.progress.state = 'running';
    this.progress.stages = stages;
    this.progress.table = [];
  }

  /** Nothing waits for it. One that still writes what a run of this name left over gives way: this one writes that too. */
  keepTrackersUp(to: NonNullable<RunPlan['exportTo']>): void {
    if (this.progress.exporter !== undefined) return;
    const { run } = this.progress;
    this.progress.exporter = `${run}/export`;
    startChild(exporting, {
      workflowId: this.progress.exporter,
      args: [{ run, to }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: 'TERMINATE_IF_RUNNING',
    }).catch((error: unknown) => log.warn('The run goes on without its trackers', { error: String(error) }));
  }

  reached(policy: PolicyRef): void {
    this.progress.policy = policy;
  }

  finish(): void {
    this.finished = true;
  }

  /**
   * Runs a child workflow as the stage of that name: held back while the run is paused, and told of later pauses.
   * @param start starts it; asks whether the run is paused at that moment
   */
  async runStage<W extends Workflow>(
    name: string,
    attempt: number,
    start: (isPaused: () => boolean) => Promise<ChildWorkflowHandle<W>>,
  ): Promise<WorkflowResultType<W>> {
    await condition(() => !this.paused);
    const stage = this.stage(name);
    Object.assign(stage, { state: 'running', attempt, latest: null, startedAt: now(), finishedAt: null, error: null });
    try {
      let told = false;
      const child = await start(() => {
        told = this.paused;
        return told;
      });
      stage.workflowId = child.workflowId;
      this.child = child;
      // A pause that came while the child was starting found nobody to tell.
      if (this.paused !== told) await this.tellChild();
      const result = await child.result();
      Object.assign(stage, { state: 'done', finishedAt: now() });
      return result;
    } catch (error) {
      Object.assign(stage, { state: 'failed', finishedAt: now(), error: reason(error) });
      throw error;
    } finally {
      this.child = null;
    }
  }

  /** Notes that a stage need not be gone through: another run has come to the same, or this one before it was stopped. */
  took(name: string, of: string): void {
    const taken = of === this.progress.run ? {} : { takenFrom: of };
    Object.assign(this.stage(name), { state: 'done', startedAt: now(), finishedAt: now(), ...taken });
  }

  addRows(rows: EvaluationRow[]): void {
    this.progress.table.push(...rows);
  }

  /** Says that a stage failed for good, and waits until somebody has it replayed. */
  async awaitReplay(name: string, claim: Claim, error: unknown): Promise<Attempt> {
    const { run } = this.progress;
    const phase = stageNumber(name);
    this.progress.advice =
      `${name} failed for good: ${reason(error)}\nThe run keeps everything and waits. Replay the ${name === 'warmup' ? 'warm-up' : 'phase'}, with other settings if ` +
      `wanted:\n  temporal workflow update execute --workflow-id ${run} --name replayPhase --input '{"phase": ${phase}, ` +
      `"overrides": {"rl.optimizer.learningRate": 1e-6}}'`;
    log.warn(this.progress.advice);
    const waiting = { stage: this.stage(name), claim, next: null as Attempt | null, claiming: false };
    this.waiting = waiting;
    this.setClock();
    await condition(() => waiting.next !== null);
    this.waiting = null;
    this.setClock();
    this.progress.advice = null;
    return waiting.next!;
  }

  private get state(): State {
    if (this.finished) return 'done';
    if (this.waiting) return 'awaiting-replay';
    return this.paused ? 'paused' : this.progress.state;
  }

  private async setPaused(paused: boolean): Promise<State> {
    this.paused = paused;
    this.setClock();
    await this.tellChild();
    return this.state;
  }

  private setClock(): void {
    this.clock.stand(this.paused || this.waiting !== null);
  }

  private async tellChild(): Promise<void> {
    const child = this.child;
    if (!child) return;
    try {
      await child.signal(setPaused, this.paused);
    } catch (error) {
      // The child ended meanwhile; the next one is told when it starts.
      log.info('The stage ended before it could be told of the pause', { error: String(error) });
    }
  }

  private checkReplay(input: ReplayPhaseInput): void {
    const refuse = (message: string) => {
      throw ApplicationFailure.nonRetryable(message, 'ReplayRefused');
    };
    if (!this.waiting || this.waiting.claiming) refuse(`Nothing waits for a replay: the run is ${this.state}.`);
    const phase = stageNumber(this.waiting!.stage.name);
    if (typeof input !== 'object' || input === null || input.phase !== phase) {
      refuse(`Expected {"phase": ${phase}, "overrides"?: {…}}: ${this.waiting!.stage.name} is what failed and waits.`);
    }
    const { overrides } = input;
    if (overrides !== undefined && (typeof overrides !== 'object' || overrides === null || Array.isArray(overrides))) {
      refuse('"overrides": expected an object of values by dotted spec path.');
    }
  }

  private async replay({ phase, overrides = {} }: ReplayPhaseInput): Promise<{ phase: number; attempt: number }> {
    const waiting = this.waiting!;
    const attempt = waiting.stage.attempt + 1;
    waiting.claiming = true;
    try {
      waiting.next = { attempt, settings: await waiting.claim(attempt, overrides) };
      return { phase, attempt };
    } catch (error) {
      throw ApplicationFailure.nonRetryable(reason(error), 'ReplayRefused');
    } finally {
      waiting.claiming = false;
    }
  }

  private stage(name: string): StageProgress {
    const stage = this.progress.stages.find(stage => stage.name === name);
    if (!stage) throw ApplicationFailure.nonRetryable(`The run has no stage "${name}"`, 'UnknownStage');
    return stage;
  }
}

function reason(error: unknown): string {
  return rootCause(error) ?? String(error);
}

function now(): string {
  return new Date().toISOString();
}
