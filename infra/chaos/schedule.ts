/** Which faults strike, in what order, and with what particulars: a function of the seed alone. */
import { permutation, randomStream } from '../../activities/engine/random.js';

export interface Fault {
  /** From 1. */
  number: number;
  kind: string;
  /** Artifacts that the run is left to publish in peace before it strikes. */
  after: number;
  /** Milliseconds from the last of these: faults should not all strike at the moment of publishing. */
  delayMs: number;
  /** In [0, 1): what among several it strikes. */
  target: number;
  /** In [0, 1): how hard or for how long, within the kind's range. */
  force: number;
}

/**
 * Kinds come in shuffled decks of all of them, so that few faults are still of many kinds.
 * @param peace most artifacts between a recovery and the next fault
 */
export function schedule(seed: number, faults: number, kinds: readonly string[], peace: number): Fault[] {
  const deckOf = (deck: number) => permutation(kinds.length, randomStream(seed, 'chaos', 'deck', deck));
  return Array.from({ length: faults }, (_, k) => {
    const random = randomStream(seed, 'chaos', 'fault', k);
    return {
      number: k + 1,
      kind: kinds[deckOf(Math.floor(k / kinds.length))[k % kinds.length]!]!,
      after: Math.floor(random.uniform() * (peace + 1)),
      delayMs: Math.floor(random.uniform() * 300),
      target: random.uniform(),
      force: random.uniform(),
    };
  });
}
