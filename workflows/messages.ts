/** Messages between a run and its stages; users have no need of them. */
import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { StepReport } from './contract.js';

/** Run to stage: hold before the next step, or go on. */
export const setPaused = defineSignal<[boolean]>('setPaused');
/** Stage to run: a step is done. */
export const stageReport = defineSignal<[stage: string, report: StepReport]>('stageReport');

/** Reports of one stage to its run: enough for a curve, few enough for the run's history. */
const REPORTS = 50;

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
  const slot = (step: number) => Math.floor((step * REPORTS) / report.steps);
  if (!parent || slot(report.step) === slot(previousStep)) return;
  getExternalWorkflowHandle(parent.workflowId)
    .signal(stageReport, stage, report)
    .catch((error: unknown) => log.warn('A progress report did not arrive', { error: String(error) }));
}
