/** What the harness says, a line a fault and the verdict, and the same as JSON. */
import { loadavg } from 'node:os';
import type { Comparison } from './comparison.js';
import type { Ledger } from './ledger.js';

/** Of damage to a file; a snapshot that its stage no longer needed takes the damage with it. */
export type Outcome = 'repaired' | 'removed' | 'found, not read in the run' | 'not found';

export interface FaultRecord {
  number: number;
  kind: string;
  what: string;
  /** The run it struck. */
  run: string;
  /** Seconds since the first disturbed run began. */
  at: number;
  /** Seconds from the fault to two further artifacts or the run's end; null when that did not come. */
  recoveredAfter: number | null;
  /** One-minute load average when it struck. */
  load: number;
  /** The damaged file, and what became of it. */
  injury?: { path: string; outcome: Outcome };
}

export interface RunRecord {
  run: string;
  seconds: number;
  sha256: string | null;
  ledger: Ledger;
  comparison: Comparison;
}

export interface ChaosReport {
  seed: number;
  preset: string;
  cores: number;
  undisturbed: { seconds: number; sha256: string; artifacts: number; steps: number };
  faults: FaultRecord[];
  runs: RunRecord[];
  recovery: { median: number; p95: number; longest: number } | null;
  /** See `productiveShare`. */
  productive: number | null;
  /** Questions that the judge answered once, and again; null without one. */
  judged: { once: number; again: number } | null;
  /** Why the promise does not hold; empty when it does. */
  violations: string[];
}

export const load = (): number => loadavg()[0]!;

export function faultLine({ number, kind, what, at, recoveredAfter }: FaultRecord): string {
  const recovered =
    recoveredAfter === null ? 'NOT RECOVERED' : `recovered after ${recoveredAfter.toFixed(1).padStart(5)} s`;
  return `${String(number).padStart(3)}  ${at.toFixed(1).padStart(7)} s  ${recovered}  ${kind.padEnd(22)}  ${what}`;
}

/** Nearest-rank percentiles of the recovery times. */
export function recoveryOf(faults: readonly FaultRecord[]): ChaosReport['recovery'] {
  const times = faults.flatMap(({ recoveredAfter }) => recoveredAfter ?? []).sort((a, b) => a - b);
  if (times.length === 0) return null;
  const rank = (share: number) => times[Math.max(0, Math.ceil(share * times.length) - 1)]!;
  return { median: rank(0.5), p95: rank(0.95), longest: times.at(-1)! };
}

/**
 * Of the time that the disturbed runs took, the share in which they made progress that was kept: what as many undisturbed
 * runs take. Null where a run did not end.
 */
export function productiveShare({ undisturbed, runs }: Pick<ChaosReport, 'undisturbed' | 'runs'>): number | null {
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  if (runs.length === 0 || runs.some(({ sha256 }) => sha256 === null)) return null;
  return (undisturbed.seconds * runs.length) / seconds;
}

export function verdictLines({
  undisturbed,
  runs,
  faults,
  recovery,
  productive,
  judged,
  violations,
}: ChaosReport): string[] {
  const sum = (of: (run: RunRecord) => number) => runs.reduce((total, run) => total + of(run), 0);
  const injuries = faults.flatMap(({ injury }) => injury ?? []);
  const count = (wanted: Outcome) => injuries.filter(({ outcome }) => outcome === wanted).length;
  const [repaired, removed] = [count('repaired'), count('removed')];
  const unread = injuries.length - repaired - removed;
  return [
    '',
    `undisturbed       ${undisturbed.seconds.toFixed(1)} s, ${undisturbed.artifacts} artifacts, sha256 ${undisturbed.sha256}`,
    ...runs.map(
      ({ run, seconds, sha256 }) => `${run.padEnd(16)}  ${seconds.toFixed(1)} s, sha256 ${sha256 ?? '(no result)'}`,
    ),
    `books             ${sum(run => run.ledger.steps)} optimiser steps, ${sum(run => run.ledger.groups)} groups, ` +
      `${sum(run => run.ledger.responses)} responses: ${sum(run => run.ledger.errors.length)} lost, twice or out of place`,
    `files             ${sum(run => run.comparison.files)} compared: ${sum(run => run.comparison.different.length)} different, ` +
      `${sum(run => run.comparison.missing.length)} missing, ${sum(run => run.comparison.extra.length)} extra; ` +
      `${sum(run => run.comparison.unmatched)} snapshots within stages that one of the two runs alone has`,
    ...(injuries.length > 0
      ? [
          `damaged files     ${injuries.length}: ${repaired} repaired, ${removed} removed with their snapshots, ${unread} found but not read in the run`,
        ]
      : []),
    ...(recovery
      ? [
          `recovery          median ${recovery.median.toFixed(1)} s, 95th percentile ${recovery.p95.toFixed(1)} s, ` +
            `longest ${recovery.longest.toFixed(1)} s`,
        ]
      : []),
    ...(productive === null
      ? []
      : [
          `productive        ${(100 * productive).toFixed(1)} % of the time, with a fault in every ` +
            `${((undisturbed.steps * runs.length) / faults.length).toFixed(1)} steps`,
        ]),
    ...(judged
      ? [`judge             ${judged.once} answers judged once, ${judged.again} again, their verdict lost on its way`]
      : []),
    ...violations.map(line => `VIOLATION         ${line}`),
    violations.length === 0
      ? `HOLDS: ${faults.length} faults, and every bit is as in the undisturbed run` +
        `${unread > 0 ? `, but in ${unread} damaged ${unread === 1 ? 'file' : 'files'} that no one read again` : ''}`
      : `DOES NOT HOLD: ${violations.length} violations`,
  ];
}
