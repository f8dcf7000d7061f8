/** A run's policies by what users call them, found in the store alone: no server is asked, and the run may be under way. */
import type { CurriculumResult, PolicyRef } from '../contract/index.js';
import { baseUri, checkpointUri, findJson, resultUri, type Store, storeUri } from '../store/index.js';
import { snapshotState } from './checkpoint.js';
import { lastStep, redoLog } from './redo-log.js';

/**
 * @param wanted `newest`: the last one logged or published; `final`: that of a finished run; `base`; or a policy's name
 * @returns the policy, or why there is none
 */
export async function policyOfRun(store: Store, run: string, wanted: string): Promise<PolicyRef | string> {
  const base = await published<PolicyRef>(store, baseUri(run));
  if (!base) return await withoutBase(store, run);
  if (wanted === 'base') return base;
  const result = await published<CurriculumResult>(store, resultUri(run));
  if (wanted === 'final') {
    return result?.policy ?? `the run "${run}" has not ended yet: expected "newest", "base" or a policy's name`;
  }
  if (wanted === 'newest') return result?.policy ?? (await lastStep(store, run))?.record.result ?? base;
  return (await byName(store, run, wanted)) ?? `the run "${run}" has no policy "${wanted}" in the store`;
}

async function withoutBase(store: Store, run: string): Promise<string> {
  const runs = await store.list(storeUri('runs'));
  if (runs.includes(run)) return `the run "${run}" has no policy yet`;
  return `expected a run of this store, which has ${runs.length === 0 ? 'none' : runs.join(', ')}`;
}

async function byName(store: Store, run: string, name: string): Promise<PolicyRef | null> {
  const uri = checkpointUri(run, name);
  const state = await snapshotState(store, { name, uri, sha256: '' });
  if (state) return { name, uri, sha256: state.sha256 };
  for await (const { record } of redoLog(store, run)) if (record.result.name === name) return record.result;
  return null;
}

async function published<T>(store: Store, uri: string): Promise<T | null> {
  return (await findJson<T>(store, uri))?.value ?? null;
}
