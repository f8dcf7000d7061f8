/** Two models on the same items: paired bootstrap and paired randomisation. */
import type { Difference } from '../../contract/index.js';
import { type RandomStream, randomStream } from '../../engine/random.js';
import { isWithinNoise } from './comparison.js';
import { mean } from './samples.js';

export const RESAMPLES = 10_000;

/** Scores by item id. */
export type ItemScores = ReadonlyMap<string, number>;

/** What chance makes of one benchmark. */
export interface Resampled {
  items: number;
  difference: number;
  /** The difference on items drawn again, with replacement: RESAMPLES of them. */
  bootstrap: Float64Array;
  /** The difference with the two models' scores exchanged, or not, on each item by the toss of a coin. */
  exchanged: Float64Array;
}

/**
 * Differences row minus baseline over the items both have, in the units of the scores; null when there are none. Equal names give
 * equal results, whatever the order of the items.
 */
export function resample(row: ItemScores, baseline: ItemScores, name: readonly string[]): Resampled | null {
  const ids = [...row.keys()].filter(id => baseline.has(id)).sort();
  if (ids.length === 0) return null;
  const differences = Float64Array.from(ids, id => row.get(id)! - baseline.get(id)!);
  const replicate = (what: string, draw: (random: RandomStream) => number): Float64Array => {
    const random = randomStream(what, ...name);
    const values = new Float64Array(RESAMPLES);
    for (let b = 0; b < RESAMPLES; b++) values[b] = draw(random) / ids.length;
    return values;
  };
  const unequal = differences.filter(difference => difference !== 0);
  return {
    items: ids.length,
    difference: mean([...differences]),
    bootstrap: replicate('paired bootstrap', random => {
      let sum = 0;
      for (let k = 0; k < differences.length; k++) sum += differences[random.below(differences.length)]!;
      return sum;
    }),
    exchanged: replicate('paired randomisation', random => {
      let sum = 0;
      for (const difference of unequal) sum += random.uniform() < 0.5 ? difference : -difference;
      return sum;
    }),
  };
}

/**
 * The mean difference over the benchmarks, each resampled within itself (one alone: its own). The interval is the percentiles of
 * the bootstrap, p that of the randomisation: the bootstrap alone calls four items of 200 that all went one way a difference,
 * which chance does to one pair of equal models in eight.
 */
export function pairedDifference(strata: readonly Resampled[]): Difference {
  const over = (pick: (stratum: Resampled) => Float64Array): Float64Array => {
    const means = new Float64Array(RESAMPLES);
    for (const values of strata.map(pick)) for (let b = 0; b < RESAMPLES; b++) means[b]! += values[b]! / strata.length;
    return means;
  };
  const difference = mean(strata.map(stratum => stratum.difference));
  const bootstrap = over(stratum => stratum.bootstrap).sort();
  // Sums of the same numbers in another order differ in their last bits.
  const least = Math.abs(difference) * (1 - 1e-9);
  const asFar = over(stratum => stratum.exchanged).filter(exchanged => Math.abs(exchanged) >= least).length;
  const bounds = {
    low: quantile(bootstrap, 0.025),
    high: quantile(bootstrap, 0.975),
    p: (asFar + 1) / (RESAMPLES + 1),
  };
  const items = strata.reduce((sum, stratum) => sum + stratum.items, 0);
  return { items, difference, ...bounds, withinNoise: isWithinNoise(bounds) };
}

/** Interpolated between neighbours. */
export function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place - Math.floor(place));
}
