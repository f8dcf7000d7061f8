/** The difference between two models on the same benchmark, or on several, and whether it is more than luck. */
import type { Difference } from '../../contract/index.js';

export function isWithinNoise({ low, high, p }: Pick<Difference, 'low' | 'high' | 'p'>): boolean {
  return (low <= 0 && high >= 0) || p > 0.05;
}
