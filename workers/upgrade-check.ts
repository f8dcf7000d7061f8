/**
 * Whether these workflows can go on with the runs that are under way: the history of each is replayed before any work is
 * taken, so that an upgrade which cannot is refused at the start and not met in the middle of a run.
 */
import { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { TASK_QUEUE } from '../workflows/contract.js';
import { IncompatibleRunsError } from './incompatible-runs.js';

/** @throws IncompatibleRunsError naming every workflow and where its history and the code part */
export async function refuseIncompatibleRuns(
  connection: NativeConnection,
  namespace: string,
  workflowBundle: WorkflowBundleOption,
): Promise<void> {
  const { workflow } = new Client({ connection, namespace });
  const open = workflow.list({ query: `ExecutionStatus = "Running" AND TaskQueue = "${TASK_QUEUE}"` });
  const failed: { workflowId: string; reason: string }[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, open.intoHistories())) {
    if (error) failed.push({ workflowId, reason: error.message.split('\n')[0]! });
  }
  if (failed.length > 0) throw new IncompatibleRunsError(failed);
}
