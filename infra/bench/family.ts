/** A process and all that it started, directly or not, as /proc knows them. */
import { readdirSync } from 'node:fs';
import { parentOf, peakMemory } from './process-usage.js';

const POLL_MS = 1000;

/** The process and its descendants; only itself on systems that have no /proc. */
export function familyOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const family = [root];
  // Grows while it is walked.
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family;
}

/** Watches a family's memory. @returns ends it: the sum of what each of its processes had at most; null where unknown */
export function watchMemory(root: number): () => number | null {
  const peaks = new Map<number, number>();
  const look = () => {
    for (const pid of familyOf(root)) {
      const peak = peakMemory(pid);
      if (peak !== null) peaks.set(pid, peak);
    }
  };
  look();
  const timer = setInterval(look, POLL_MS);
  return () => {
    clearInterval(timer);
    return peaks.size === 0 ? null : [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
  };
}

function processes(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
