/**
 * A mean over seeds and items, and how sure it is: training with other seeds, and other questions, would give another. Every
 * seed answers the same items, so both are resampled, each across the other (a crossed, or pigeonhole, bootstrap: Owen 2007,
 * doi:10.1214/07-AOAS122).
 */
import type { Estimate } from '../../contract/index.js';
import { randomStream } from '../../engine/random.js';
import { wilson } from '../interval.js';
import { studentT95, Z95 } from './normal.js';
import { quantile } from './paired.js';
import { mean } from './samples.js';

/** Enough for the shape: the spread is computed. */
const CROSSED_RESAMPLES = 4000;

/** Scores by seed, then by item; as many items for each seed, in the same order. */
export type Crossed = readonly (readonly number[])[];

export interface Spread {
  mean: number;
  /** Of the mean. */
  variance: number;
  /** Degrees of freedom that the variance is known with (Satterthwaite 1946). */
  degrees: number;
}

/**
 * The mean's variance, of a model with an effect of each seed, one of each item, and a rest: what the seeds' means show, and
 * what the items' means show, less the rest that both contain.
 */
export function crossedSpread(scores: Crossed): Spread {
  const [seeds, items] = [scores.length, scores[0]!.length];
  const centre = mean(scores.map(mean));
  const bySeed = scores.map(row => mean(row) - centre);
  const byItem = scores[0]!.map((_, i) => mean(scores.map(row => row[i]!)) - centre);
  const ofMeans = (effects: number[]) =>
    effects.length < 2 ? 0 : squares(effects) / (effects.length - 1) / effects.length;
  const [ofSeeds, ofItems] = [ofMeans(bySeed), ofMeans(byItem)];
  const rests = scores.flatMap((row, s) => row.map((score, i) => score - centre - bySeed[s]! - byItem[i]!));
  const free = (seeds - 1) * (items - 1);
  const ofRest = free === 0 ? 0 : squares(rests) / free / (seeds * items);
  const variance = Math.max(ofSeeds, ofItems, ofSeeds + ofItems - ofRest);
  const parts = [
    [ofSeeds, seeds - 1],
    [ofItems, items - 1],
    [ofRest, free],
  ].filter(([, degrees]) => degrees! > 0);
  const spread = parts.reduce((sum, [part, degrees]) => sum + part! ** 2 / degrees!, 0);
  return { mean: centre, variance, degrees: spread === 0 ? 0 : variance ** 2 / spread };
}

const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);

/**
 * The mean with its 95 % interval, within the range that means can have. The bootstrap gives the interval its shape, the
 * variance and Student's t its width: simulated with five seeds that differ much, the bootstrap alone holds the truth in 83 %
 * of cases, and this in 93 to 97 %. Equal names give equal intervals.
 * @throws RangeError without scores, or where seeds have different numbers of them
 */
export function crossedEstimate(
  scores: Crossed,
  range: readonly [number, number],
  name: readonly string[],
  resamples = CROSSED_RESAMPLES,
): Estimate {
  const items = scores[0]?.length ?? 0;
  if (items === 0 || scores.some(row => row.length !== items))
    throw new RangeError(
      `expected as many scores for each seed, found ${scores.map(row => row.length).join(', ') || 'none'}`,
    );
  const { mean: score, variance, degrees } = crossedSpread(scores);
  if (scores.length * items === 1) return { score, low: range[0], high: range[1] };
  if (variance === 0) return { score, ...ofEqual(score, items, range) };
  const deviations = resampledDeviations(scores, score, name, resamples);
  const spread = Math.sqrt(squares([...deviations]) / deviations.length);
  // Draws that are all alike, as of one seed and two items, have no shape.
  const width = (studentT95(Math.max(1, degrees)) / Z95) * (spread === 0 ? 1 : Math.sqrt(variance) / spread);
  const within = (value: number) => Math.min(range[1], Math.max(range[0], value));
  return {
    score,
    low: within(score + width * quantile(deviations, 0.025)),
    high: within(score + width * quantile(deviations, 0.975)),
  };
}

/** Scores that are all the same say nothing of how they vary: what so many items could hide is left (Wilson's, of shares). */
function ofEqual(
  score: number,
  items: number,
  [least, most]: readonly [number, number],
): { low: number; high: number } {
  if (least < 0 || (score !== least && score !== most)) return { low: score, high: score };
  const { low, high } = wilson((score - least) / (most - least), items);
  return { low: least + low * (most - least), high: least + high * (most - least) };
}

/** How far the mean is off over seeds and items drawn again, sorted. */
function resampledDeviations(
  scores: Crossed,
  centre: number,
  name: readonly string[],
  resamples: number,
): Float64Array {
  const [seeds, items] = [scores.length, scores[0]!.length];
  const random = randomStream('crossed bootstrap', ...name);
  const deviations = new Float64Array(resamples);
  const row = new Float64Array(items);
  for (let b = 0; b < resamples; b++) {
    row.fill(0);
    for (let s = 0; s < seeds; s++) {
      const drawn = scores[random.below(seeds)]!;
      for (let i = 0; i < items; i++) row[i]! += drawn[i]!;
    }
    let sum = 0;
    for (let i = 0; i < items; i++) sum += row[random.below(items)]!;
    deviations[b] = sum / (seeds * items) - centre;
  }
  return deviations.sort();
}
