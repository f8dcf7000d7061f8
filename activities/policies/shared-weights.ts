/**
 * The newest policy's weights, for workers that did not make the step that made it: several sample from it, and each
 * would have to redo the steps since the last snapshot. A third of what a snapshot is, since the optimiser's state stays
 * where it is, and only the newest is kept. Nothing rests on it: where it is gone the policy is rebuilt from the log.
 */
import { type StepInputs, UnreadableSnapshotError } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import {
  CorruptArtifactError,
  type Fence,
  MissingArtifactError,
  runOf,
  type Store,
  sharedUri,
  weightsUri,
} from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { withSnapshot } from './checkpoint.js';
import { publishLoaded } from './publish-loaded.js';

/** An engine's tag for a policy whose weights it loaded alone, so that the optimiser begins anew. */
export const freshTag = (name: string) => `${name}/fresh`;

/** Publishes the weights of the policy that the engine holds, and takes those of its run's earlier ones away. */
export async function shareWeights(
  deps: PolicyDependencies,
  policy: PolicyRef,
  { parent }: Pick<StepInputs, 'parent'>,
  supervision: Supervision,
  fence: Fence,
): Promise<void> {
  supervision.note(`sharing the weights of ${policy.name}`);
  const origin = { run: runOf(policy.uri), parent: parent.name, update: policy.uri };
  await publishLoaded(deps, origin, () => policy, supervision, { fence, as: 'weights' });
  await withdrawWeights(deps.store, policy, name => name !== policy.name, fence);
}

/** Takes a run's shared weights away: those of the policies that are meant. */
export async function withdrawWeights(
  store: Store,
  { uri }: PolicyRef,
  isMeant: (policy: string) => boolean,
  fence: Fence,
): Promise<void> {
  const run = runOf(uri);
  for (const name of (await store.list(sharedUri(run))).filter(isMeant))
    await store.remove(weightsUri(run, name), fence);
}

/** Has the engine load them. False where there are none, or none that are whole. */
export async function loadSharedWeights(
  { store, engine }: PolicyDependencies,
  policy: PolicyRef,
  { call, note }: Supervision,
): Promise<boolean> {
  const uri = weightsUri(runOf(policy.uri), policy.name);
  if (!(await store.has(uri))) return false;
  note(`loading the shared weights of ${policy.name}`);
  const tag = freshTag(policy.name);
  try {
    await withSnapshot(store, policy, 'weights', model => engine.call('load', { ...model, tag }, call), uri);
    return true;
  } catch (error) {
    if (error instanceof MissingArtifactError || error instanceof UnreadableSnapshotError) return false;
    // Set aside by now. Of an adapter it may be the model beneath.
    if (error instanceof CorruptArtifactError && error.uri === uri) return false;
    throw error;
  }
}
