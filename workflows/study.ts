/**
 * A study: each of its variants trained with each of its seeds, so many at once, and what is claimed of them found out. It
 * begins with what is in the store, so started again it goes on; with further variants or seeds it does those alone.
 */

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Cell, StudyResult, StudySpecInput } from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import { curriculum } from './curriculum.js';
import { DATA } from './options.js';
import { StudyRuns } from './study-runs.js';

const { prepareStudy, reportStudy } = proxyActivities<ControlActivities>(DATA);

/** A run of that name that was left behind is asked to end: how soon it is looked whether it has. */
const UNTIL_FREE = '5 seconds';

export async function study(input: StudySpecInput): Promise<StudyResult> {
  const { workflowId: study } = workflowInfo();
  const runs = new StudyRuns(study, input => prepareStudy({ study, input }));
  runs.extend(await prepareStudy({ study, input }));
  for (;;) {
    await trainAll(runs);
    const { spec } = runs.plan;
    runs.reporting();
    const result = await reportStudy({ study, spec, failed: runs.failed });
    // Extended meanwhile: there is more to do.
    if (runs.waiting) continue;
    runs.finish(result.report.uri);
    return result;
  }
}

/** Returns when no run is left to do, with those that failed noted. */
async function trainAll(runs: StudyRuns): Promise<void> {
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      await condition(() => runs.mayStart(underWay.size) || (underWay.size === 0 && !runs.waiting));
      const cell = runs.next();
      if (!cell) return;
      const one: Promise<void> = train(runs, cell).finally(() => underWay.delete(one));
      // Met where all are waited for.
      one.catch(() => {});
      underWay.add(one);
    }
  } finally {
    await CancellationScope.nonCancellable(() => Promise.allSettled(underWay));
  }
}

async function train(runs: StudyRuns, cell: Cell): Promise<void> {
  try {
    const child = await startCell(cell);
    await runs.began(cell, child);
    await child.result();
    runs.ended(cell, null);
  } catch (error) {
    // Of a run that was cancelled by itself the study goes on.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    runs.ended(cell, error);
  }
}

async function startCell({ run, variant, seed }: Cell) {
  const { workflowId: study } = workflowInfo();
  for (;;) {
    try {
      return await startChild(curriculum, {
        workflowId: run,
        args: [{ study, variant, seed }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(UNTIL_FREE);
    }
  }
}
