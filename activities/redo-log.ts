/** A run's redo log: written a step at a time, read in the order in which it came about. */
import type { StepCounts, UpdateRecord } from './artifacts.js';
import {
  type ArtifactRef,
  attemptUri,
  DivergenceError,
  fenceOf,
  hashOf,
  publishJson,
  readJson,
  type StageAttempt,
  type Store,
  stepUri,
  storeUri,
} from './store/index.js';

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
    const published = error instanceof DivergenceError ? await store.find(uri) : null;
    if (!published || identityOf(await readJson<UpdateRecord>(store, published)) !== identity) throw error;
  }
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
  const order = (stage: string) => (stage === 'warmup' ? 0 : Number(stage.slice('phase-'.length)));
  const stages = (await store.list(storeUri('runs', run)))
    .filter(name => /^(warmup|phase-[1-9]\d*)$/.test(name))
    .sort((a, b) => order(a) - order(b));
  const found: StageAttempt[] = [];
  for (const stage of stages) {
    for (const attempt of numbers(await store.list(storeUri('runs', run, stage)))) found.push({ run, stage, attempt });
  }
  return found;
}

/** The steps of one attempt, in order. */
export async function* stepsOf(store: Store, stage: StageAttempt): AsyncGenerator<LogEntry> {
  for (const step of numbers(await store.list(attemptUri(stage, 'steps')))) {
    const ref = await store.find(stepUri(stage, step, 'update.json'));
    // A step whose update is still to come has its rollouts alone.
    if (ref) yield { stage, step, ref, record: await readJson<UpdateRecord>(store, ref) };
  }
}

/** The steps of all attempts. */
export async function* redoLog(store: Store, run: string): AsyncGenerator<LogEntry> {
  for (const stage of await attemptsOf(store, run)) yield* stepsOf(store, stage);
}

const numbers = (names: string[]): number[] =>
  names
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
