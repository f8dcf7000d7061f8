/** A run's redo log: written a step at a time, read in the order in which it came about. */
import type { StepCounts, UpdateRecord } from '../artifacts/index.js';
import { stageNumber } from '../contract/index.js';
import { type CodeVersion, codeText, differ } from '../provenance/index.js';
import {
  type ArtifactRef,
  attemptUri,
  claimedAttempt,
  DivergenceError,
  fenceOf,
  findJson,
  hashOf,
  inTurn,
  publishJson,
  type StageAttempt,
  type Store,
  stageUri,
  stepUri,
  storeUri,
} from '../store/index.js';

export interface LogEntry {
  stage: StageAttempt;
  step: number;
  ref: ArtifactRef;
  record: UpdateRecord;
}

/**
 * Logs a step. Two makings of it that agree on all but the circumstances agree.
 * @throws DivergenceError otherwise
 */
export async function logStep(store: Store, record: UpdateRecord): Promise<void> {
  const uri = stepUri(record.stage, record.step, 'update.json');
  const identity = identityOf(record);
  try {
    await publishJson(store, uri, record, fenceOf(record.stage), identity);
  } catch (error) {
    // Earlier versions recorded no identity.
    const published = error instanceof DivergenceError ? await findJson<UpdateRecord>(store, uri) : null;
    if (!published) throw error;
    const logged = published.value;
    if (identityOf(logged) === identity) return;
    throw differ(logged.code?.numerics, record.code?.numerics)
      ? divergence(logged, record.result.sha256, record.code)
      : error;
  }
}

/**
 * The error of a step that was made again and came out otherwise: of an engine that computes otherwise, it says so.
 * @param redone SHA-256 of the weights
 * @param by what made it again
 */
export function divergence(
  { result, code }: UpdateRecord,
  redone: string,
  by: CodeVersion | undefined,
): DivergenceError {
  const advice =
    code && by && differ(code.numerics, by.numerics)
      ? `The step was made with other numerics (${codeText(code)}) than this engine's (${codeText(by)}): redo it with a ` +
        'worker of that version, provider and kind of processor, or replay the phase.'
      : undefined;
  return new DivergenceError(result.uri, result.sha256, redone, null, advice);
}

/** What is the same whenever a step is made again: not by which code, nor what a judge had to be asked for it. */
function identityOf({ code: _, counts, ...rest }: UpdateRecord): string {
  return hashOf({ ...rest, counts: withoutAsking(counts) });
}

/** Without what depends on how much of it was asked before. */
export const withoutAsking = (counts: StepCounts | null): StepCounts | null => {
  if (!counts) return null;
  const { judge: _, ...rest } = counts;
  return rest;
};

/** Every attempt of every stage, given-up ones included: the warm-up first, then the phases. */
export async function attemptsOf(store: Store, run: string): Promise<StageAttempt[]> {
  const stages = (await store.list(storeUri('runs', run)))
    .filter(name => /^(warmup|phase-[1-9]\d*)$/.test(name))
    .sort((a, b) => stageNumber(a) - stageNumber(b));
  const found: StageAttempt[] = [];
  for (const stage of stages) {
    for (const attempt of numbers(await store.list(storeUri('runs', run, stage)))) found.push({ run, stage, attempt });
  }
  return found;
}

/**
 * The step as it is logged; null of one that is still to be made.
 * @param name of the policy that the step makes
 * @throws DivergenceError if the logged one made another
 */
export async function loggedStep(
  store: Store,
  stage: StageAttempt,
  step: number,
  name: string,
): Promise<UpdateRecord | null> {
  const entry = await entryAt(store, stage, step);
  if (!entry) return null;
  const { ref, record } = entry;
  if (record.result.name !== name) throw new DivergenceError(ref.uri, record.result.name, name, null);
  return record;
}

/** The steps of one attempt, in order. */
export async function* stepsOf(store: Store, stage: StageAttempt): AsyncGenerator<LogEntry> {
  yield* inTurn(await stepNumbers(store, stage), step => entryAt(store, stage, step));
}

/** The same from the last step on, each read when it is come to. */
export async function* stepsBackwards(store: Store, stage: StageAttempt): AsyncGenerator<LogEntry> {
  for (const step of (await stepNumbers(store, stage)).reverse()) {
    const entry = await entryAt(store, stage, step);
    if (entry) yield entry;
  }
}

/** The steps of all attempts. */
export async function* redoLog(store: Store, run: string): AsyncGenerator<LogEntry> {
  for (const stage of await attemptsOf(store, run)) yield* stepsOf(store, stage);
}

/**
 * The last step of the stage that the run has come to, as its current attempt logged it; null where none is logged yet.
 * @param counts of which steps; all unless told
 */
export async function lastStep(
  store: Store,
  run: string,
  counts: (record: UpdateRecord) => boolean = () => true,
): Promise<LogEntry | null> {
  for (const stage of (await attemptsOf(store, run)).reverse()) {
    if ((await claimedAttempt(store, stageUri(stage))) !== stage.attempt) continue;
    for await (const entry of stepsBackwards(store, stage)) if (counts(entry.record)) return entry;
  }
  return null;
}

/** The steps that an attempt has begun, in order: the last may have its rollouts alone. */
export async function stepNumbers(store: Store, stage: StageAttempt): Promise<number[]> {
  return numbers(await store.list(attemptUri(stage, 'steps')));
}

/** Null of a step whose update is still to come: it has its rollouts alone. */
export async function entryAt(store: Store, stage: StageAttempt, step: number): Promise<LogEntry | null> {
  const found = await findJson<UpdateRecord>(store, stepUri(stage, step, 'update.json'));
  return found && { stage, step, ref: found.ref, record: found.value };
}

const numbers = (names: string[]): number[] =>
  names
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
