/** Times the sides of a row in turns, so that whatever else the machine does falls on all of them alike. */
import { setTimeout as sleep } from 'node:timers/promises';
import { watchLoad } from './load.js';
import { peakMemory } from './process-usage.js';
import type { Measurement } from './result.js';
import type { Evidence, Repetition, Side } from './side.js';
import { median } from './statistics.js';

export interface Plan {
  /** Measured turns of each side. */
  repetitions: number;
  /** Whether a first turn is taken and not counted. */
  warmUp: boolean;
  /** No further round is begun after so many seconds, once every side has been measured. */
  seconds: number;
}

/** A process that has just done its turn may stay awake for a moment (threads wait in a loop before they sleep). */
const SETTLING = 300;

/**
 * Every side's turns, one after another, round by round.
 * @returns in the order of the sides
 * @throws Error when a side fails
 */
export async function takeTurns(
  sides: readonly Side[],
  { repetitions, warmUp, seconds: limit }: Plan,
  onTurn: (side: number, seconds: number) => void = () => {},
): Promise<Measurement[]> {
  const started = performance.now();
  const pids = sides.map(({ pid }) => pid);
  const seconds = sides.map(() => [] as number[]);
  const idle = sides.map(() => [] as number[]);
  const foreign = sides.map(() => [] as number[]);
  const reported = sides.map(() => [] as number[]);
  const evidence: Evidence[] = [];
  for (let round = warmUp ? -1 : 0; round < repetitions; round++) {
    if (round > 0 && performance.now() - started > limit * 1000) break;
    for (const [s, side] of sides.entries()) {
      if (sides.length > 1) await sleep(SETTLING);
      const load = watchLoad(pids, s);
      const turn = await side.repeat();
      // Later rounds start from weights that have taken steps of their own.
      evidence[s] ??= evidenceOf(turn);
      if (turn.peakBytes !== undefined) reported[s]!.push(turn.peakBytes);
      if (round < 0) continue;
      const seen = load();
      seen.idle.forEach((value, o) => {
        if (value !== null) idle[o]!.push(value);
      });
      if (seen.foreign !== null) foreign[s]!.push(seen.foreign);
      seconds[s]!.push(turn.seconds);
      onTurn(s, turn.seconds);
    }
  }
  return pids.map((pid, s) => ({
    seconds: seconds[s]!,
    median: median(seconds[s]!),
    peakBytes: reported[s]!.length > 0 ? Math.max(...reported[s]!) : peakMemory(pid),
    idleLoad: medianIfAny(idle[s]!),
    foreignLoad: medianIfAny(foreign[s]!),
    ...evidence[s],
  }));
}

const medianIfAny = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));

function evidenceOf({ gradNorm, weights }: Repetition): Evidence {
  return { ...(gradNorm !== undefined && { gradNorm }), ...(weights !== undefined && { weights }) };
}
