/** Whether the training service of this worker has what the runs under way need: asked before any work is taken. */
import type { Client } from '@temporalio/client';
import type { ServiceNeeds, TrainingService } from '../activities/engine/protocol/index.js';
import { serviceIssues } from '../activities/policies/index.js';
import { runNameSchema } from '../activities/spec/index.js';
import { readJson, type Store, serviceNeedsUri } from '../activities/store/index.js';
import type { Deployment } from './deployment.js';
import { openWorkflows } from './open-workflows.js';
import { type UnservedRun, UnservedRunsError } from './unserved-runs.js';

/** @throws UnservedRunsError naming each run and what it lacks; what the service throws where it cannot be asked */
export async function refuseUnservedRuns(
  client: Client,
  store: Store,
  { service, url }: { service: TrainingService; url: string },
  deployment?: Deployment,
): Promise<void> {
  const unserved: UnservedRun[] = [];
  for await (const { type, workflowId: run } of openWorkflows(client, deployment)) {
    if (type !== 'curriculum' || !runNameSchema.safeParse(run).success) continue;
    // Of a run that is not prepared yet, or that the workers themselves train, there is none.
    const needs = await store.find(serviceNeedsUri(run));
    if (!needs) continue;
    const issues = serviceIssues(await service.examine(await readJson<ServiceNeeds>(store, needs)));
    if (issues.length > 0) unserved.push({ run, issues });
  }
  if (unserved.length > 0) throw new UnservedRunsError(unserved, url);
}
