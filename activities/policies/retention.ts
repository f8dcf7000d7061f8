/**
 * Which of a stage's snapshots stay: the newest so many, of which the last is what the stage ends with. Those before go,
 * since the log makes their policies again from what the stage began with. What a stage begins with is another's, and the
 * base nobody's: neither is touched here.
 */
import type { UpdateRecord } from '../artifacts/index.js';
import type { PolicyDependencies } from '../dependencies.js';
import { checkpointsUri, fenceOf, type StageAttempt, type Store } from '../store/index.js';
import type { Supervision } from '../supervision/index.js';
import { openSmallFiles, snapshotUri } from './checkpoint.js';
import { type LogEntry, stepsBackwards, stepsOf } from './redo-log.js';

/**
 * Whether a snapshot would be of no use, because a later step of the attempt has one: a stage gone through again does not
 * make again what was removed.
 */
export async function isSuperseded(store: Store, stage: StageAttempt, policy: string): Promise<boolean> {
  for await (const { record } of stepsBackwards(store, stage)) {
    if (isMaking(record, policy)) return false;
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
  attempt: StageAttempt,
  policy: string,
  keep: number,
  supervision: Supervision,
): Promise<void> {
  const there = new Set(await store.list(checkpointsUri(attempt.run)));
  const log: LogEntry[] = [];
  for await (const entry of stepsOf(store, attempt)) log.push(entry);
  const made = log.findIndex(({ record }) => isMaking(record, policy));
  const earlier = log
    .slice(0, Math.max(0, made))
    .filter(({ record }) => !record.skipped && there.has(record.result.name));
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

const isMaking = ({ result, skipped }: UpdateRecord, policy: string): boolean => result.name === policy && !skipped;
