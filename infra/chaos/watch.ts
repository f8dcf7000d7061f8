/** What a run has published so far, seen from outside: the store alone, which needs neither server nor workers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosStore } from './stores/chaos-store.js';

/** Often enough to strike in mid-step, seldom enough to leave the machine to the run. */
const POLL_MS = 150;
/** What counts: a step's files, checkpoints, evaluations, the result. Not the data, which is written in one go. */
const COUNTED =
  /^(.+\/steps\/\d+\/[a-z]+[-\d]*\.jsonl?|checkpoints\/[0-9a-f]+|evaluations\/[^/]+|[^/]+\/\d+\/[^/]+\.jsonl?|result\.json)$/;

/** Artifacts that the run has published, relative to its folder. */
export async function published(store: ChaosStore, run: string): Promise<string[]> {
  return (await store.published(run)).filter(name => COUNTED.test(name) && !/damaged|diverged|(^|\/)\./.test(name));
}

export const isDone = (names: readonly string[]): boolean => names.includes('result.json');

/** Waits until the run has so many artifacts or its result; false when the limit is reached before. */
export async function untilPublished(store: ChaosStore, run: string, count: number, limitMs: number): Promise<boolean> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const names = await published(store, run);
    if (names.length >= count || isDone(names)) return true;
    if (Date.now() > limit) return false;
    await sleep(POLL_MS);
  }
}
