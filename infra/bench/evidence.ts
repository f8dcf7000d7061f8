/** Whether sides of a row have computed the same. */
import type { Evidence } from './side.js';

/** Largest relative difference between gradients' norms that different orders of summation explain. */
const TOLERANCE = 1e-3;

export interface Difference {
  /** For a cell of the table. */
  short: string;
  /** For a remark, after "computes". */
  long: string;
}

/** What another side computed instead of the same; null for the same, undefined where nothing tells. */
export function differenceOf(ours: Evidence, theirs: Evidence): Difference | null | undefined {
  if (ours.gradNorm !== undefined && theirs.gradNorm !== undefined) {
    const change = theirs.gradNorm / ours.gradNorm - 1;
    if (Math.abs(change) <= TOLERANCE) return null;
    const [norm, ourNorm] = [theirs, ours].map(({ gradNorm }) => gradNorm!.toPrecision(4));
    return {
      short: `gradient ${change < 0 ? '-' : '+'}${Number((Math.abs(change) * 100).toPrecision(2))} %`,
      long: `another gradient: its norm is ${norm}, ours ${ourNorm}`,
    };
  }
  if (ours.weights === undefined || theirs.weights === undefined) return undefined;
  if (ours.weights === theirs.weights) return null;
  const [weights, ourWeights] = [theirs, ours].map(side => side.weights!.slice(0, 8));
  return { short: 'other weights', long: `other weights: ${weights}…, ours ${ourWeights}…` };
}
