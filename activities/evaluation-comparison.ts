/** Two evaluations compared benchmark by benchmark, and over all that both have. */
import type { Comparison } from './benchmarks/statistics/comparison.js';
import type { EvaluationRecord } from './evaluation-record.js';

export function compareRecords(_row: EvaluationRecord, _baseline: EvaluationRecord): Comparison[] {
  return [];
}

/** Whether anything became worse, beyond the noise. */
export function isRegression(comparisons: readonly Comparison[]): boolean {
  return comparisons.some(({ difference, withinNoise }) => difference < 0 && !withinNoise);
}
