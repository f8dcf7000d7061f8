/**
 * What runs of studies share. A stage's outcome is a function of its inputs, so it is registered in the store under their
 * hash: a run that comes to a stage with the same hash takes that outcome, whichever run it is of. Nothing is copied: the
 * policies, scores and data that an outcome names stay where they were made.
 */
import { type CodeVersion, codeVersion } from '../provenance/index.js';
import {
  type ArtifactRef,
  jsonText,
  linesText,
  outcomeUri,
  publishJson,
  readJson,
  type Store,
  sha256,
  sharedOutcomeUri,
  storeUri,
} from '../store/index.js';

export interface Outcome<T = unknown> {
  /** Hash of all that decides it. */
  key: string;
  /** The run that made it. */
  of: string;
  /** `base`, `warmup`, `phase-<k>` or `evaluation.<label>`. */
  name: string;
  /** What it took, by the run's clock. */
  seconds: number;
  code: CodeVersion;
  result: T;
}

/**
 * @param needs uris of what the result names
 * @returns null where none is registered, or what it names is gone: then it is made anew
 */
export async function knownOutcome<T>(
  store: Store,
  key: string,
  needs: (result: T) => string[],
): Promise<Outcome<T> | null> {
  const ref = await store.find(sharedOutcomeUri(key));
  if (!ref) return null;
  const outcome = await readJson<Outcome<T>>(store, ref);
  const there = await Promise.all(needs(outcome.result).map(uri => store.has(uri)));
  if (!there.includes(false)) return outcome;
  await store.remove(ref.uri);
  return null;
}

/** Notes in a run what it came to, by itself or by another. */
export async function keepOutcome(store: Store, run: string, outcome: Outcome): Promise<void> {
  await store.publishFirst(outcomeUri(run, outcome.name), jsonText(outcome));
}

/** Registers what a run made, and notes it there. */
export async function shareOutcomeOf(store: Store, run: string, made: Omit<Outcome, 'of' | 'code'>): Promise<void> {
  const outcome: Outcome = { ...made, of: run, code: codeVersion() };
  await store.publishFirst(sharedOutcomeUri(made.key), jsonText(outcome));
  await keepOutcome(store, run, outcome);
}

/** All that a run of a study has come to so far, whoever made it; none of a run of no study. */
export async function outcomesOf(store: Store, run: string): Promise<Outcome[]> {
  const folder = storeUri('runs', run, 'outcomes');
  const found: Outcome[] = [];
  for (const file of await store.list(folder)) {
    const ref = await store.find(`${folder}/${file}`);
    if (ref) found.push(await readJson<Outcome>(store, ref));
  }
  return found;
}

/** Publishes lines unless some run of a study has published the same ones: then it is those that are referred to. */
export async function publishShared(store: Store, uri: string, values: readonly unknown[]): Promise<ArtifactRef> {
  const text = linesText(values);
  const place = sharedOutcomeUri(sha256(text));
  const known = await store.find(place);
  const there = known && (await readJson<ArtifactRef>(store, known));
  if (there && (await store.has(there.uri))) return there;
  if (known) await store.remove(place);
  const ref = await store.publishText(uri, text);
  await publishJson(store, place, ref).catch(async (error: unknown) => {
    // Of two at once the first is referred to from now on.
    if (!(await store.find(place))) throw error;
  });
  return ref;
}
