/**
 * Policies, lost and found. A policy is its nearest snapshot plus the logged steps since: one function, *ensure this
 * policy is loaded*, serves first use, another machine, and recovery alike.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointState, UnreadableSnapshotError, type UpdateRecord } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import { OPTIMIZER_FILE, plainName } from '../engine/folders/index.js';
import type { FreshAdapter } from '../engine/protocol/index.js';
import { codeVersion, promiseOf } from '../provenance/index.js';
import { adapterOf, type RunSpec, servedModel } from '../spec/index.js';
import {
  absence,
  baseUri,
  CorruptArtifactError,
  checkpointUri,
  DivergenceError,
  type Fence,
  fileHashes,
  MissingArtifactError,
  readJson,
  runOf,
  type Store,
  specUri,
} from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { admitRun } from './admission.js';
import { STATE_FILE, snapshotUri, usualWeights, withSnapshot } from './checkpoint.js';
import { divergence, redoLog } from './redo-log.js';
import { isSamePolicy } from './redone.js';
import { applyStep, policyName } from './step.js';

/**
 * What is needed of the loaded policy: `weights` alone (sampling), the optimiser `as-trained` (to go on in its stage), or
 * a `fresh` optimiser (to begin a stage).
 */
export type Readiness = 'weights' | 'as-trained' | 'fresh';

const freshTag = (name: string) => `${name}/fresh`;

/**
 * Loads the policy unless the engine holds it: from its snapshot, else from the nearest one before it and the redo log,
 * each redone step held against the log. Where another engine may hold it, that one is given the chance first.
 * @param logged awaited before the log is read
 * @throws DivergenceError if a redone step gives other weights than were logged; OutOfToleranceError where the engine
 * promises no equal bits, and it came out further from the log than promised
 */
export async function ensurePolicyLoaded(
  deps: PolicyDependencies,
  policy: PolicyRef,
  readiness: Readiness,
  supervision: Supervision,
  logged?: () => Promise<void>,
): Promise<void> {
  const { tag } = await deps.engine.call('status', {}, supervision.call);
  if (holds(tag, policy.name, readiness)) return;
  await logged?.();
  handOnUnlessHeld(deps, policy, tag);
  await admitRun(deps, runOf(policy.uri), supervision);
  await loadPolicy(deps, policy, readiness, supervision);
}

/** Whether the engine whose status gives this tag has the policy as it is needed. */
function holds(tag: string | null, name: string, need: Readiness): boolean {
  return (tag === name && need !== 'fresh') || (tag === freshTag(name) && need !== 'as-trained');
}

function handOnUnlessHeld({ handOn }: PolicyDependencies, { name }: PolicyRef, tag: string | null): void {
  if (tag !== name && tag !== freshTag(name)) handOn?.(name, tag);
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
      await loadSnapshot(deps, from, need() === 'fresh', supervision);
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
  fence?: Fence,
): Promise<void> {
  if (await deps.store.has(snapshotUri(policy))) return;
  const { tag } = await deps.engine.call('status', {}, supervision.call);
  handOnUnlessHeld(deps, policy, tag);
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
  await loadPolicy(deps, policy, 'as-trained', supervision);
  supervision.note(`writing checkpoint ${policy.name}`);
  const origin = { run: runOf(policy.uri), parent: inputs.parent.name, update: result.uri };
  await publishLoaded(deps, origin, () => result, supervision, fence);
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
  const ref = await store.find(uri);
  if (!ref) throw await absence(store, uri, `wanted to rebuild policy ${policy}`);
  return readJson<UpdateRecord>(store, ref);
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
  fresh: boolean,
  { call }: Supervision,
): Promise<void> {
  const tag = fresh ? freshTag(policy.name) : policy.name;
  await withSnapshot(deps.store, policy, fresh ? 'weights' : 'whole', async model => {
    const adapter = model.adapter ?? (await freshAdapter(deps.store, runOf(policy.uri)));
    await deps.engine.call('load', { ...model, adapter, tag }, call);
  });
}

/** What a service calls the run's model; null where the workers train it. */
export async function servedModelOf(store: Store, run: string): Promise<string | null> {
  return servedModel(await readPublished<RunSpec>(store, specUri(run)));
}

/** What a run that trains an adapter begins with: a function of its spec, so the base's snapshot need not hold it. */
export async function freshAdapter(store: Store, run: string): Promise<{ fresh: FreshAdapter } | null> {
  const spec = await readPublished<RunSpec>(store, specUri(run));
  const settings = adapterOf(spec);
  if (!settings) return null;
  return { fresh: { settings, seed: spec.seed, baseModel: servedModel(spec) ?? plainName(spec.model) } };
}

async function readPublished<T>(store: Store, uri: string): Promise<T> {
  const ref = await store.find(uri);
  if (!ref) throw await absence(store, uri, 'the run was not prepared');
  return readJson<T>(store, ref);
}

/** Gives the policy that a step just made a fresh optimiser, by way of the snapshot it lacked. */
async function freshenOptimizer(
  deps: PolicyDependencies,
  { inputs, result }: UpdateRecord,
  supervision: Supervision,
): Promise<void> {
  const origin = { run: runOf(result.uri), parent: inputs.parent.name, update: result.uri };
  await publishLoaded(deps, origin, () => result, supervision);
  await loadSnapshot(deps, result, true, supervision);
}

/** The policy beneath a run's adapters; null where all weights are trained. */
async function adapterBase(store: Store, run: string): Promise<PolicyRef | null> {
  return (await freshAdapter(store, run)) && readPublished<PolicyRef>(store, baseUri(run));
}

/**
 * Publishes the loaded policy as a checkpoint folder.
 * @param identity the policy's name and SHA-256 as they are logged, given the SHA-256 of its weights: a base is named by it
 */
export async function publishLoaded(
  deps: PolicyDependencies,
  origin: { run: string; parent: string | null; update: string | null },
  identity: (sha256: string) => Pick<PolicyRef, 'name' | 'sha256'>,
  supervision: Supervision,
  fence?: Fence,
): Promise<PolicyRef> {
  return deps.store.workFolder(async folder => {
    const directory = join(folder, 'policy');
    const saved = await deps.engine.call(
      'save',
      { directory, withOptimizer: origin.update !== null },
      supervision.call,
    );
    const { name, sha256 } = identity(saved.sha256);
    const uri = checkpointUri(origin.run, name);
    if (promiseOf(deps.numerics) === 'bits' && saved.sha256 !== sha256)
      throw new DivergenceError(uri, sha256, saved.sha256, null);
    const base = origin.update === null ? null : await adapterBase(deps.store, origin.run);
    // Gigabytes, of a real model: the engine took their hashes as it wrote them.
    const written = {
      [saved.file]: saved.sha256,
      ...(saved.optimizerSha256 && { [OPTIMIZER_FILE]: saved.optimizerSha256 }),
    };
    const hashes = await fileHashes(directory, written);
    const { parent, update } = origin;
    const weights = saved.sha256 === sha256 ? saved.file : null;
    const files = Object.fromEntries(Object.entries(hashes).filter(([file]) => file !== weights));
    const state: CheckpointState = {
      ...{ name, sha256 },
      ...(base && { base }),
      ...(weights !== usualWeights(base) && { weights }),
      ...{ parent, update, files },
    };
    await writeFile(join(directory, STATE_FILE), `${JSON.stringify(state, null, 1)}\n`);
    supervision.check();
    await deps.store.publishFolder(uri, directory, fence, hashes);
    return { name, uri, sha256 };
  });
}
