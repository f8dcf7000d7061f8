/** The interval of a share. */
import { Z95 } from './statistics/normal.js';

export interface Interval {
  low: number;
  high: number;
}

/**
 * Wilson's score interval (Wilson 1927) for a share measured on `items` independent items, at 95 %. `share` is from 0 to 1,
 * and so are the bounds; no items means no knowledge: 0 to 1.
 */
export function wilson(share: number, items: number, z: number = Z95): Interval {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share: expected a number from 0 to 1, got ${share}`);
  if (items === 0) return { low: 0, high: 1 };
  const z2 = z * z;
  const centre = (share + z2 / (2 * items)) / (1 + z2 / items);
  const half = (z / (1 + z2 / items)) * Math.sqrt((share * (1 - share)) / items + z2 / (4 * items * items));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
