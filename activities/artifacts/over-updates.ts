/** A step's optimiser updates as one number. */
import type { UpdateRecord } from './formats.js';

export type UpdateMetric = keyof UpdateRecord['metrics'][number];

const OVER = {
  mean: (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length,
  most: (values: number[]) => Math.max(...values),
  sum: (values: number[]) => values.reduce((a, b) => a + b, 0),
};
export type OverUpdates = keyof typeof OVER;

/** Null of a step that was skipped, and where no update says. */
export function overUpdates(
  metrics: UpdateRecord['metrics'],
  name: UpdateMetric,
  how: OverUpdates = 'mean',
): number | null {
  const values = metrics.map(one => one[name]).filter(value => value !== undefined);
  return values.length === 0 ? null : OVER[how](values);
}
