/**
 * Whether these workflows can go on with the runs that are under way: the history of each is replayed before any work is
 * taken, so that an upgrade which cannot is refused at the start and not met in the middle of a run.
 */
import type { Client } from '@temporalio/client';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import type { Deployment } from './deployment.js';
import { IncompatibleRunsError } from './incompatible-runs.js';
import { openWorkflows } from './open-workflows.js';

/** @throws IncompatibleRunsError naming every workflow and where its history and the code part */
export async function refuseIncompatibleRuns(
  client: Client,
  workflows: Pick<ReplayWorkerOptions, 'workflowBundle' | 'sinks'>,
  deployment?: Deployment,
): Promise<void> {
  const failed: { workflowId: string; reason: string }[] = [];
  const histories = openHistories(client, deployment);
  for await (const { workflowId, error } of Worker.runReplayHistories(workflows, histories)) {
    if (error) failed.push({ workflowId, reason: error.message.split('\n')[0]! });
  }
  if (failed.length > 0) throw new IncompatibleRunsError(failed);
}

async function* openHistories(client: Client, deployment: Deployment | undefined) {
  for await (const { workflowId, runId } of openWorkflows(client, deployment)) {
    yield { workflowId, history: await client.workflow.getHandle(workflowId, runId).fetchHistory() };
  }
}
