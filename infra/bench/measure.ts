/** Times the sides of a row in turns, so that whatever else the machine does falls on all of them alike. */
import { setTimeout as sleep } from 'node:timers/promises';
import { peakMemory, processorTime } from './process-usage.js';
import type { Measurement } from './result.js';
import type { Repetition, Side } from './side.js';
import { median } from './statistics.js';

export interface Plan {
  /** Measured turns of each side. */
  repetitions: number;
  /** Whether a first turn is taken and not counted. */
  warmUp: boolean;
  /** No further round is begun after so many seconds, once every side has been measured. */
  seconds: number;
}

/** Largest relative difference between the sides' gradient norms that different orders of summation explain. */
const TOLERANCE = 1e-3;

/** A process that has just done its turn may stay awake for a moment (threads wait in a loop before they sleep). */
const SETTLING = 300;

/**
 * Every side's turns, one after another, round by round.
 * @returns in the order of the sides
 * @throws Error when a side fails, or when the sides do not compute the same
 */
export async function takeTurns(
  sides: readonly Side[],
  { repetitions, warmUp, seconds: limit }: Plan,
  onTurn: (side: number, seconds: number) => void = () => {},
): Promise<Measurement[]> {
  const started = performance.now();
  const seconds = sides.map(() => [] as number[]);
  const idle = sides.map(() => ({ used: 0, of: 0 }));
  const first = warmUp ? -1 : 0;
  for (let round = first; round < repetitions; round++) {
    if (round > 0 && performance.now() - started > limit * 1000) break;
    const turns: Repetition[] = [];
    for (const [s, side] of sides.entries()) {
      if (sides.length > 1) await sleep(SETTLING);
      const others = sides.map(({ pid }) => processorTime(pid));
      const begun = performance.now();
      const turn = await side.repeat();
      const wall = (performance.now() - begun) / 1000;
      sides.forEach(({ pid }, o) => {
        if (o === s || others[o] === null) return;
        idle[o]!.used += (processorTime(pid) ?? 0) - others[o]!;
        idle[o]!.of += wall;
      });
      turns.push(turn);
      if (round >= 0) {
        seconds[s]!.push(turn.seconds);
        onTurn(s, turn.seconds);
      }
    }
    // Later rounds start from weights that have taken steps of their own.
    if (round === first) checkSameWork(turns);
  }
  return sides.map(({ pid }, s) => ({
    seconds: seconds[s]!,
    median: median(seconds[s]!),
    peakBytes: peakMemory(pid),
    idleLoad: idle[s]!.of > 0 ? idle[s]!.used / idle[s]!.of : null,
  }));
}

function checkSameWork(turns: readonly Repetition[]): void {
  const norms = turns.flatMap(({ gradNorm }) => (gradNorm === undefined ? [] : [gradNorm]));
  const [first] = norms;
  if (norms.some(norm => Math.abs(norm - first!) > TOLERANCE * first!))
    throw new Error(`the sides do not compute the same: the gradient's norms are ${norms.join(' and ')}`);
}
