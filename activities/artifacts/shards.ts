/**
 * Work cut into shards, which any workers may take: how it is cut depends on the work and on how many there are to be,
 * never on who is there to take them.
 */

/** Which of how many. */
export interface Shard {
  /** From 0. */
  index: number;
  of: number;
}

/**
 * The shard of each piece of work, so that all take about as long: the longest first, each to the shard that has least so
 * far (Graham 1969, doi:10.1137/0117039: at most a third above the best there is).
 * @param lengths of the pieces, in any unit
 */
export function shardsOf(lengths: readonly number[], of: number): number[] {
  const loads = new Array<number>(of).fill(0);
  const shards = new Array<number>(lengths.length);
  const longestFirst = lengths.map((_, k) => k).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const k of longestFirst) {
    const least = loads.indexOf(Math.min(...loads));
    shards[k] = least;
    loads[least]! += lengths[k]!;
  }
  return shards;
}
