/** What a study cost, and what its runs would have cost had each made everything itself. */
import type { ReportedCell } from './cells.js';

export interface ReportedCost {
  /** Seconds of what the runs of the study made. */
  spent: number;
  /** Seconds of all that they came to, as if each had made it. */
  alone: number;
  /** What several of them came to, made once. */
  shared: { name: string; of: string; seconds: number; takenBy: string[] }[];
}

export function costOf(cells: readonly ReportedCell[]): ReportedCost {
  const shared = new Map<string, ReportedCost['shared'][number]>();
  let [spent, alone] = [0, 0];
  for (const { run, parts } of cells) {
    for (const { name, key, of, seconds } of parts) {
      alone += seconds;
      if (of === run) spent += seconds;
      else {
        const one = shared.get(key!) ?? { name, of, seconds, takenBy: [] };
        shared.set(key!, one);
        one.takenBy.push(run);
      }
    }
  }
  return { spent, alone, shared: [...shared.values()] };
}
