/**
 * A run's metrics on their way to trackers, in a workflow of its own: no step waits for it, and it outlives the run where a
 * tracker is away at the end. Started by the run, it is asked to end when that does, however that ends.
 */
import { CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/index.js';
import type { ExportedMetrics, ExportMetricsInput } from '../activities/trackers/index.js';
import { EXPORT, EXPORT_REST } from './options.js';

const follow = proxyActivities<ControlActivities>(EXPORT).exportMetrics;
const writeRest = proxyActivities<ControlActivities>(EXPORT_REST).exportMetrics;

export async function exporting(input: Omit<ExportMetricsInput, 'until'>): Promise<ExportedMetrics> {
  try {
    return await follow({ ...input, until: 'follow' });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return CancellationScope.nonCancellable(() => writeRest({ ...input, until: 'rest' }));
  }
}
