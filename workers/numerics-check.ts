/**
 * Whether this worker's engine computes the bits that the runs under way were made with: a policy is rebuilt from its log
 * to the same bits only then. Asked before any work is taken, and not found out by the first rebuild.
 */
import type { Client } from '@temporalio/client';
import { lastStep, snapshotUri } from '../activities/policies/index.js';
import { codeVersion, differ, type Numerics } from '../activities/provenance/index.js';
import { runNameSchema } from '../activities/spec/index.js';
import type { Store } from '../activities/store/index.js';
import type { Deployment } from './deployment.js';
import { openWorkflows } from './open-workflows.js';
import { consequence, type ForeignRun, OtherNumericsError, whoseNumerics } from './other-numerics.js';

export interface NumericsPolicy {
  deployment?: Deployment;
  /** Say what differs on stderr, and go on. */
  acceptOtherNumerics?: boolean;
}

/** @throws OtherNumericsError naming every such run, unless they are accepted */
export async function refuseOtherNumerics(
  client: Client,
  store: Store,
  numerics: Numerics,
  { deployment, acceptOtherNumerics }: NumericsPolicy,
): Promise<void> {
  const foreign = await foreignRuns(client, store, numerics, deployment);
  if (foreign.length === 0) return;
  const own = codeVersion(numerics);
  if (!acceptOtherNumerics) throw new OtherNumericsError(foreign, own);
  process.stderr.write(`${whoseNumerics(foreign, own)}\nAccepted:\n`);
  for (const run of foreign) process.stderr.write(`  ${consequence(run)}\n`);
}

/** What the store does not have, or has of versions that did not measure, tells nothing and is passed over. */
async function foreignRuns(
  client: Client,
  store: Store,
  numerics: Numerics,
  deployment: Deployment | undefined,
): Promise<ForeignRun[]> {
  const found: ForeignRun[] = [];
  for await (const { type, workflowId: run } of openWorkflows(client, deployment)) {
    // Somebody may have started one under a name that cannot be a run's: it fails by itself.
    if (type !== 'curriculum' || !runNameSchema.safeParse(run).success) continue;
    const last = await lastStep(store, run, ({ skipped }) => !skipped);
    if (!last || !differ(last.record.code?.numerics, numerics)) continue;
    found.push({ last, snapshot: await store.has(snapshotUri(last.record.result)) });
  }
  return found;
}
