/**
 * Whether this worker's store is the one that the runs under way are on: asked before any work is taken, and not found out
 * when the first of their artifacts is missing.
 */
import type { Client } from '@temporalio/client';
import { runNameSchema } from '../activities/spec/index.js';
import { planUri, type Store, specUri, storeUri } from '../activities/store/index.js';
import type { Deployment } from './deployment.js';
import { openWorkflows } from './open-workflows.js';
import { OtherStoreError } from './other-store.js';

/** @throws OtherStoreError naming every such run */
export async function refuseOtherStores(
  client: Client,
  store: Store,
  { store: root, deployment }: { store: string; deployment?: Deployment },
): Promise<void> {
  const elsewhere: string[] = [];
  for await (const { type, workflowId: run, runId } of openWorkflows(client, deployment)) {
    if (type !== 'curriculum' || !runNameSchema.safeParse(run).success || (await isHere(store, run))) continue;
    if (await hasPublished(client, run, runId)) elsewhere.push(run);
  }
  if (elsewhere.length > 0) throw new OtherStoreError(root, elsewhere);
}

async function isHere(store: Store, run: string): Promise<boolean> {
  for (const uri of [specUri(run), planUri(run)])
    if ((await store.has(uri)) || (await store.recorded(uri))) return true;
  return false;
}

/** A run that has just begun is nowhere yet: its history tells of nothing that was published. */
async function hasPublished(client: Client, run: string, runId: string): Promise<boolean> {
  const own = `${storeUri('runs', run)}/`;
  const { events } = await client.workflow.getHandle(run, runId).fetchHistory();
  return (events ?? []).some(event =>
    event.activityTaskCompletedEventAttributes?.result?.payloads?.some(({ data }) =>
      Buffer.from(data ?? []).includes(own),
    ),
  );
}
