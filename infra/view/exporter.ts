/** What becomes of a run's metrics after its end, where a tracker lacks some of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { nextCommand } from '../local/command-lines.js';
import { activityNotes } from './activity-notes.js';
import { asking } from './asking.js';

const POLL_MS = 500;

/**
 * Waits a while until the trackers of a run that is over have all of its points.
 * @returns lines for a person where one has not, or the server does not say; none where all is well, or there are none
 */
export async function restOfMetrics(client: Client, run: string, patienceMs: number): Promise<string[]> {
  const id = `${run}/export`;
  const ask = asking(client);
  const limit = performance.now() + patienceMs;
  const rest = `To write what is missing: ${nextCommand('export-metrics', run)}`;
  try {
    for (;;) {
      const { status } = await ask(() => client.workflow.getHandle(id).describe());
      if (status.name === 'COMPLETED') return [];
      if (status.name !== 'RUNNING') return [`Not all metrics were written to the trackers (${status.name}).`, rest];
      if (performance.now() >= limit) break;
      await sleep(POLL_MS);
    }
    const { retries } = await ask(() => activityNotes(client, [id]));
    return [...(retries.length > 0 ? retries : ['The trackers still lack some of the metrics.']), rest];
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    return [`Whether the trackers have all metrics is not known (${(error as Error).message}).`, rest];
  }
}
