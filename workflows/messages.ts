/** Messages between a study, its runs and their stages; users have no need of them. */
import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { StepReport } from '../activities/contract/index.js';

/** Study to run, and run to stage: hold before the next step, or go on. */
export const setPaused = defineSignal<[boolean]>('setPaused');
/** Stage to run: a step is done. */
export const stageReport = defineSignal<[stage: string, report: StepReport]>('stageReport');

/** Run to study: it would make what the key stands for. */
export const turnWanted = defineSignal<[run: string, key: string]>('turnWanted');
/** Study to run: nobody else is at it; whether somebody was before. */
export const turnGiven = defineSignal<[key: string, again: boolean]>('turnGiven');
/** Run to study: it has made it, or given up. */
export const turnOver = defineSignal<[run: string, key: string]>('turnOver');

/** Reports of one stage to its run: enough for a curve, few enough for the run's history. */
const REPORTS = 50;
/** As often as people look: each report is work for the server and both workflows, between one step and the next. */
const SECONDS_BETWEEN = 2;

/** A gate that stands open until the run is paused. */
export class PauseGate {
  paused: boolean;

  constructor(paused: boolean) {
    this.paused = paused;
    setHandler(setPaused, paused => {
      this.paused = paused;
    });
  }

  async pass(): Promise<void> {
    await condition(() => !this.paused);
  }
}

/** Sends some of the steps' reports, evenly spaced, and the last one, to the run that started this stage, if any. */
export function reportStep(stage: string, report: StepReport, previousStep = report.step - 1): void {
  const parent = workflowInfo().parent;
  if (!parent) return;
  // Runs that an earlier version began go on as they did.
  const reports = patched('reports-by-time') ? reportsOf(report) : REPORTS;
  if (!isDue(report, previousStep, reports)) return;
  getExternalWorkflowHandle(parent.workflowId)
    .signal(stageReport, stage, report)
    .catch((error: unknown) => log.warn('A progress report did not arrive', { error: String(error) }));
}

/** How many reports a stage sends whose steps all take as long as this one. */
export function reportsOf({ steps, seconds }: Pick<StepReport, 'steps' | 'seconds'>): number {
  return Math.max(1, Math.min(REPORTS, Math.ceil((steps * seconds) / SECONDS_BETWEEN)));
}

/** Whether one of a stage's evenly spaced reports falls after the previous step, up to this one. */
export function isDue({ step, steps }: Pick<StepReport, 'step' | 'steps'>, previous: number, reports: number): boolean {
  const slot = (step: number) => Math.floor((step * reports) / steps);
  return slot(step) !== slot(previous);
}
