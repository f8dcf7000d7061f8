/**
 * Which attempt of a stage is the current one. An attempt is claimed by an artifact in its folder, published once like
 * any other, and the newest claim counts: so an attempt that was given up but still runs finds out, whatever crashed when.
 */
import { type ArtifactRef, type Fence, publishJson, readJson, StaleAttemptError, type Store } from './store.js';

const CLAIM = 'claim.json';
/** Where versions before claims kept the current one, in the stage's own folder. */
const EARLIER = 'attempt.json';

export interface Claim {
  attempt: number;
  /** Spec values this attempt changes, by dotted path. */
  overrides: Record<string, unknown>;
}

type Reader = Pick<Store, 'list' | 'find' | 'has' | 'recorded' | 'readText'>;

/**
 * Makes an attempt the current one. May be repeated.
 * @throws StaleAttemptError when a later one is claimed; DivergenceError when this one was, with other overrides
 */
export async function claimStage(store: Store, stage: string, { attempt, overrides }: Claim): Promise<ArtifactRef> {
  const current = await claimedAttempt(store, stage);
  if (current !== null && current > attempt) throw new StaleAttemptError(stage, attempt, current);
  return publishJson(store, claimUri(stage, attempt), { attempt, overrides });
}

/** Number of the current attempt, also where its claim is damaged; null before the first. */
export async function claimedAttempt(store: Reader, stage: string): Promise<number | null> {
  for (const attempt of await attemptsIn(store, stage)) {
    const uri = claimUri(stage, attempt);
    if ((await store.has(uri)) || (await store.recorded(uri))) return attempt;
  }
  return (await earlierClaim(store, stage))?.attempt ?? null;
}

/** Before something is published or removed. Throws StaleAttemptError. */
export async function checkFence(store: Reader, fence: Fence | undefined): Promise<void> {
  if (!fence) return;
  const names = await store.list(fence.stage);
  // Of a later attempt something would be there, its claim or what was set aside of it: so one look is enough, mostly.
  if (!names.includes(EARLIER) && numbersIn(names).every(attempt => attempt <= fence.attempt)) return;
  const current = await claimedAttempt(store, fence.stage);
  if (current !== null && current > fence.attempt) throw new StaleAttemptError(fence.stage, fence.attempt, current);
}

/** The current attempt's claim, or null before the first. */
export async function currentClaim(store: Store, stage: string): Promise<Claim | null> {
  const attempt = await claimedAttempt(store, stage);
  // First attempts are the spec's own: what a damaged claim said is known.
  if (attempt === null || attempt === 1) return attempt && { attempt, overrides: {} };
  const uri = claimUri(stage, attempt);
  if (!(await store.has(uri))) {
    const earlier = await earlierClaim(store, stage);
    if (earlier) return earlier;
  }
  const ref = (await store.find(uri)) ?? { uri, sha256: (await store.recorded(uri)) ?? '' };
  return readJson<Claim>(store, ref);
}

const claimUri = (stage: string, attempt: number) => `${stage}/${attempt}/${CLAIM}`;

async function earlierClaim(store: Reader, stage: string): Promise<Claim | null> {
  const uri = `${stage}/${EARLIER}`;
  const ref = (await store.has(uri)) ? await store.find(uri) : null;
  return ref && (JSON.parse(await store.readText(ref)) as Claim);
}

async function attemptsIn(store: Reader, stage: string): Promise<number[]> {
  return numbersIn(await store.list(stage)).sort((a, b) => b - a);
}

const numbersIn = (names: readonly string[]): number[] => names.map(Number).filter(Number.isInteger);
