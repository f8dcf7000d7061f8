/**
 * Policies, lost and found. A policy is its nearest snapshot plus the logged steps since: one function, *ensure this
 * policy is loaded*, serves first use, another machine, and recovery alike.
 */
import { UnreadableSnapshotError, type UpdateRecord } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import type { Sampler } from '../engine/protocol/index.js';
import { codeVersion } from '../provenance/index.js';
import {
  absence,
  CorruptArtifactError,
  DivergenceError,
  type Fence,
  findJson,
  MissingArtifactError,
  runOf,
  type Store,
} from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { admitRun } from './admission.js';
import { snapshotUri, withSnapshot } from './checkpoint.js';
import { freshAdapter, publishLoaded } from './publish-loaded.js';
import { divergence, redoLog } from './redo-log.js';
import { isSamePolicy } from './redone.js';
import { freshTag, loadSharedWeights } from './shared-weights.js';
import { applyStep, policyName } from './step.js';

/**
 * What is needed of the loaded policy: `weights` alone (sampling), the optimiser `as-trained` (to go on in its stage), or
 * a `fresh` optimiser (to begin a stage). Weights that are loaded alone have a fresh one.
 */
export type Readiness = 'weights' | 'as-trained' | 'fresh';

export interface LoadOptions {
  /** Awaited before the log is read. */
  logged?: (() => Promise<void>) | undefined;
  /** How many the work is cut into: so many engines take turns at the run, each with a policy of its own. */
  shards?: number | undefined;
}

/**
 * Loads the policy unless the engine holds it: from its snapshot, else from the nearest one before it and the redo log,
 * each redone step held against the log. Where another engine may hold it, that one is given the chance first; of a policy
 * that several sample from, its shared weights or a snapshot will do, which every engine loads.
 * @throws DivergenceError if a redone step gives other weights than were logged; OutOfToleranceError where the engine
 * promises no equal bits, and it came out further from the log than promised
 */
export async function ensurePolicyLoaded(
  deps: PolicyDependencies,
  policy: PolicyRef,
  readiness: Readiness,
  supervision: Supervision,
  { logged, shards = 1 }: LoadOptions = {},
): Promise<void> {
  // Of a policy too that the engine before this one left there: what is promised of its steps comes of what was found.
  await admitRun(deps, runOf(policy.uri), supervision);
  const { tag } = await deps.engine.call('status', {}, supervision.call);
  if (holds(tag, policy.name, readiness)) return;
  await logged?.();
  if (readiness !== 'as-trained' && (await loadSharedWeights(deps, policy, supervision))) return;
  const forAll = shards > 1 && readiness !== 'as-trained' && (await deps.store.has(snapshotUri(policy)));
  if (!forAll) handOnUnlessHeld(deps, policy, tag, readiness, shards);
  await loadPolicy(deps, policy, readiness, supervision);
}

/** Whether the engine whose status gives this tag has the policy as it is needed. */
function holds(tag: string | null, name: string, need: Readiness): boolean {
  return (tag === name && need !== 'fresh') || (tag === freshTag(name) && need !== 'as-trained');
}

/** Samples from a policy that the engine holds or has kept for it, whatever follows it; null where it has not. */
export async function samplerOf(
  { service }: Pick<PolicyDependencies, 'service'>,
  { name }: PolicyRef,
  { call }: Pick<Supervision, 'call'>,
): Promise<Sampler | null> {
  return (await service?.sampler([name, freshTag(name)], call)) ?? null;
}

/** Not where it is held with the other optimiser than needed, if no engine need have that one. */
function handOnUnlessHeld(
  { handOn }: PolicyDependencies,
  { name }: PolicyRef,
  tag: string | null,
  need: Readiness,
  shards: number,
): void {
  if (tag !== name && (tag !== freshTag(name) || need === 'as-trained')) handOn?.(name, tag, shards);
}

async function loadPolicy(
  deps: PolicyDependencies,
  policy: PolicyRef,
  readiness: Readiness,
  supervision: Supervision,
): Promise<void> {
  const { call } = supervision;
  const { tag } = await deps.engine.call('status', {}, call);
  if (holds(tag, policy.name, readiness)) return;

  const redo: UpdateRecord[] = [];
  let from = policy;
  const need = () => (redo[0] ? (redo[0].inputs.freshOptimizer ? 'fresh' : 'as-trained') : readiness);
  while (!holds(tag, from.name, need()) && !(await deps.store.has(snapshotUri(from)))) {
    redo.unshift(await readUpdate(deps.store, from));
    from = redo[0]!.inputs.parent;
  }
  for (const { inputs } of redo) {
    if (!inputs.reference || (await deps.store.has(snapshotUri(inputs.reference)))) continue;
    await makeSnapshot(deps, inputs.reference, supervision);
    // That took the engine: what it held is gone.
    return loadPolicy(deps, policy, readiness, supervision);
  }
  if (!holds(tag, from.name, need())) {
    supervision.note(`loading policy ${from.name}`);
    try {
      await loadSnapshot(deps, from, need(), supervision);
    } catch (error) {
      // Removed since it was looked for: the search begins anew, without it.
      if (await isRemoved(deps.store, from, error)) return loadPolicy(deps, policy, readiness, supervision);
      // Of an adapter it may be the model beneath, which no step made.
      if (!(error instanceof CorruptArtifactError) || error.uri !== snapshotUri(from)) throw error;
      // What was damaged is set aside by now, so that this makes it again from the one before it and the log.
      await makeSnapshot(deps, from, supervision).catch((second: unknown) => {
        // Of the base there is none before it: the first error says which file it was.
        throw second instanceof CorruptArtifactError && second.uri === error.uri ? error : second;
      });
      return loadPolicy(deps, policy, readiness, supervision);
    }
  }
  for (const [k, record] of redo.entries()) {
    supervision.note(`redoing step ${record.step} of ${record.stage.stage} (${k + 1} of ${redo.length})`);
    if (k > 0 && record.inputs.freshOptimizer) await freshenOptimizer(deps, redo[k - 1]!, supervision);
    const redone = await applyStep(deps, record.inputs, call);
    if (!isSamePolicy(record, redone, deps.numerics))
      throw divergence(record, redone.sha256, codeVersion(deps.numerics));
  }
  if (redo.length > 0 && readiness === 'fresh') await freshenOptimizer(deps, redo.at(-1)!, supervision);
}

/** Whether the snapshot could not be loaded because retention took it away meanwhile, be it from under the engine. */
async function isRemoved(store: Store, policy: PolicyRef, error: unknown): Promise<boolean> {
  if (!(error instanceof MissingArtifactError || error instanceof UnreadableSnapshotError)) return false;
  return !(await store.has(snapshotUri(policy)));
}

/** Publishes the policy's snapshot unless there is one; that takes the engine. */
export async function ensureSnapshot(
  deps: PolicyDependencies,
  policy: PolicyRef,
  supervision: Supervision,
  { fence, shards = 1 }: { fence?: Fence; shards?: number | undefined } = {},
): Promise<void> {
  if (await deps.store.has(snapshotUri(policy))) return;
  const { tag } = await deps.engine.call('status', {}, supervision.call);
  handOnUnlessHeld(deps, policy, tag, 'as-trained', shards);
  await makeSnapshot(deps, policy, supervision, fence);
}

async function makeSnapshot(
  deps: PolicyDependencies,
  policy: PolicyRef,
  supervision: Supervision,
  fence?: Fence,
): Promise<void> {
  if (await deps.store.has(snapshotUri(policy))) return;
  const { inputs, result } = await readUpdate(deps.store, policy);
  await admitRun(deps, runOf(policy.uri), supervision);
  await loadPolicy(deps, policy, 'as-trained', supervision);
  supervision.note(`writing checkpoint ${policy.name}`);
  const origin = { run: runOf(policy.uri), parent: inputs.parent.name, update: result.uri };
  await publishLoaded(deps, origin, () => result, supervision, { fence });
}

/** The step that made a policy, from the redo log. */
export async function readUpdate(store: Store, policy: PolicyRef): Promise<UpdateRecord> {
  const record =
    policy.uri === snapshotUri(policy)
      ? await searchUpdate(store, policy)
      : await readUpdateAt(store, policy.uri, policy.name);
  // The name is a hash of the inputs, so this also finds a damaged entry.
  const name = policyName(record.inputs);
  if (name !== policy.name) throw new DivergenceError(policy.uri, policy.name, name, null);
  return record;
}

async function readUpdateAt(store: Store, uri: string, policy: string): Promise<UpdateRecord> {
  const found = await findJson<UpdateRecord>(store, uri);
  if (!found) throw await absence(store, uri, `wanted to rebuild policy ${policy}`);
  return found.value;
}

/** Looks through the whole log for the step that made a policy known by its snapshot alone, which is gone. */
async function searchUpdate(store: Store, policy: PolicyRef): Promise<UpdateRecord> {
  for await (const { record } of redoLog(store, runOf(policy.uri))) {
    if (record.result.name === policy.name && !record.skipped) return record;
  }
  // The base is made by no step: it can be imported again.
  throw await absence(store, policy.uri, `nor a step that makes policy ${policy.name}`);
}

/** Loads a snapshot after checking every file the engine will read. */
async function loadSnapshot(
  deps: PolicyDependencies,
  policy: PolicyRef,
  need: Readiness,
  { call }: Supervision,
): Promise<void> {
  const [part, tag] =
    need === 'as-trained' ? (['whole', policy.name] as const) : (['weights', freshTag(policy.name)] as const);
  await withSnapshot(deps.store, policy, part, async model => {
    const adapter = model.adapter ?? (await freshAdapter(deps.store, runOf(policy.uri)));
    await deps.engine.call('load', { ...model, adapter, tag }, call);
  });
}

/** Gives the policy that a step just made a fresh optimiser, by way of the snapshot it lacked. */
async function freshenOptimizer(
  deps: PolicyDependencies,
  { inputs, result }: UpdateRecord,
  supervision: Supervision,
): Promise<void> {
  const origin = { run: runOf(result.uri), parent: inputs.parent.name, update: result.uri };
  await publishLoaded(deps, origin, () => result, supervision);
  await loadSnapshot(deps, result, 'fresh', supervision);
}
