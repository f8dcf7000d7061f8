/** The reference policy of a run's KL term: the one that its reinforcement learning started from. */
import type { UpdateRecord } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { Store } from '../store/index.js';
import { snapshotState } from './checkpoint.js';
import { readUpdate } from './policy.js';

/**
 * Goes from a policy to its parents, up to the first that no RL step made: the warm-up's last, or the base.
 * @param policy any on the way from there
 */
export async function referenceOf(store: Store, policy: PolicyRef): Promise<PolicyRef> {
  for (let at = policy; ; ) {
    const inputs = (await stepThatMade(store, at))?.inputs;
    if (inputs?.settings.kind !== 'rl') return at;
    if (inputs.reference) return inputs.reference;
    at = inputs.parent;
  }
}

/** The log's entry of it; null for the base. */
export async function stepThatMade(store: Store, policy: PolicyRef): Promise<UpdateRecord | null> {
  const state = await snapshotState(store, policy);
  if (!state) return readUpdate(store, policy);
  return state.update === null ? null : readUpdate(store, { ...policy, uri: state.update });
}
