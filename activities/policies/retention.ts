/**
 * Which of a stage's snapshots stay: the newest so many, of which the last is what the stage ends with. Those before go,
 * since the log makes their policies again from what the stage began with. What a stage begins with is another's, and the
 * base nobody's: neither is touched here.
 */
import type { PolicyDependencies } from '../dependencies.js';
import { fenceOf, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { openSmallFiles, snapshotUri } from './checkpoint.js';
import type { LogEntry } from './redo-log.js';

/**
 * Whether a snapshot would be of no use, because a later step of the attempt has one: a stage gone through again does not
 * make again what was removed.
 * @param log of the attempt
 */
export async function isSuperseded(store: Store, log: readonly LogEntry[], policy: string): Promise<boolean> {
  for (const { record } of log.slice(made(log, policy) + 1)) {
    if (record.result.name !== policy && (await store.has(snapshotUri(record.result)))) return true;
  }
  return false;
}

/**
 * Removes the snapshots of steps before the policy's.
 * @param keep how many stay, the policy's own among them
 */
export async function removeEarlier(
  { store, service }: Pick<PolicyDependencies, 'store' | 'service'>,
  log: readonly LogEntry[],
  policy: string,
  keep: number,
  supervision: Supervision,
): Promise<void> {
  const earlier: LogEntry[] = [];
  for (const entry of log.slice(0, Math.max(0, made(log, policy)))) {
    if (!entry.record.skipped && (await store.has(snapshotUri(entry.record.result)))) earlier.push(entry);
  }
  const beyond = earlier.slice(0, Math.max(0, earlier.length - (keep - 1)));
  const rebuildable = beyond.length === 0 ? 0 : await wholeSteps(store, log);
  for (const { stage, step, record } of beyond.filter(({ step }) => step <= rebuildable)) {
    supervision.check();
    supervision.note(`removing checkpoint ${record.result.name} of step ${step}`);
    // First there: a snapshot that names what is gone is met like a damaged one, what nobody names is never found again.
    await service?.discard(await openSmallFiles(store, record.result), supervision.call);
    await store.remove(snapshotUri(record.result), fenceOf(stage));
  }
}

/** Up to which step the attempt's policies can be made again: all is there, from what it began with. */
async function wholeSteps(store: Store, log: readonly LogEntry[]): Promise<number> {
  let parent = log[0]?.record.inputs.parent;
  if (!parent || !(await store.has(snapshotUri(parent)))) return 0;
  for (const [k, { step, record }] of log.entries()) {
    const { inputs, result } = record;
    const follows = step === k + 1 && inputs.parent.name === parent.name;
    const uris = inputs.rounds.flatMap(({ rollouts, scores }) => [rollouts.uri, scores.uri]);
    const present = await Promise.all(
      [...uris, ...(inputs.examples ? [inputs.examples.data.uri] : [])].map(uri => store.has(uri)),
    );
    if (!follows || present.includes(false)) return k;
    parent = result;
  }
  return log.length;
}

/** Place in the log of the step that made the policy; -1 of what the attempt began with. */
const made = (log: readonly LogEntry[], policy: string): number =>
  log.findIndex(({ record }) => record.result.name === policy && !record.skipped);
