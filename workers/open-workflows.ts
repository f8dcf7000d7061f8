/** The workflows under way that a worker could be given, for what is checked before it takes any work. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { TASK_QUEUE } from '../activities/contract/index.js';
import { type Deployment, versionOf } from './deployment.js';

/**
 * Every open workflow but those pinned to another build: work of the others goes to whichever workers are current, and
 * those may be of any build or of none.
 * @param deployment the worker's own; none where it is not versioned
 */
export async function* openWorkflows(client: Client, deployment?: Deployment): AsyncGenerator<WorkflowExecutionInfo> {
  const own = deployment && versionOf(deployment);
  const query = `ExecutionStatus = "Running" AND TaskQueue = "${TASK_QUEUE}"`;
  for await (const workflow of client.workflow.list({ query })) {
    // Read here and not in the query: servers that know no deployments would refuse that.
    const [behaviour] = workflow.searchAttributes.TemporalWorkflowVersioningBehavior ?? [];
    const [version] = workflow.searchAttributes.TemporalWorkerDeploymentVersion ?? [];
    if (behaviour !== 'Pinned' || version === own) yield workflow;
  }
}
