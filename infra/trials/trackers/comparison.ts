/** What trackers must have, from the store, next to what they have, by their own readers. */
import type { Store } from '../../../activities/store/index.js';
import { RunTracks, readPoint } from '../../../activities/trackers/index.js';

export type FoundPoint = [track: string, step: number, name: string, value: number];

/** Every number of a run, with the track that it belongs to. */
export async function pointsOf(store: Store, run: string): Promise<FoundPoint[]> {
  const log = (await RunTracks.of(store, run))!;
  const points: FoundPoint[] = [];
  for (const { name: track, marks } of (await log.read()).tracks) {
    for (const mark of marks) {
      const { metrics } = (await readPoint(store, log.facts, mark))!;
      for (const [name, value] of Object.entries(metrics)) points.push([track, mark.at, name, value]);
    }
  }
  return points;
}

export interface Verdict {
  expected: number;
  /** Once, with the value that the log has. */
  right: number;
  missing: FoundPoint[];
  twice: FoundPoint[];
  other: FoundPoint[];
  /** Of steps or names that the log has not. */
  strange: FoundPoint[];
}

/** @param single whether the tracker keeps numbers of 32 bits */
export function verdictOf(expected: readonly FoundPoint[], found: readonly FoundPoint[], single: boolean): Verdict {
  const key = ([track, step, name]: FoundPoint) => JSON.stringify([track, step, name]);
  const seen = new Map<string, FoundPoint[]>();
  for (const point of found) seen.set(key(point), [...(seen.get(key(point)) ?? []), point]);
  const verdict: Verdict = { expected: expected.length, right: 0, missing: [], twice: [], other: [], strange: [] };
  for (const point of expected) {
    const [first, ...more] = seen.get(key(point)) ?? [];
    seen.delete(key(point));
    const value = single ? Math.fround(point[3]) : point[3];
    if (!first) verdict.missing.push(point);
    else if (more.length > 0) verdict.twice.push(point);
    else if (first[3] !== value) verdict.other.push(first);
    else verdict.right++;
  }
  verdict.strange.push(...[...seen.values()].flat());
  return verdict;
}
