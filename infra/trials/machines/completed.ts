/** What the server's histories say of a run's activities: which worker did each, and when. */
import type { Client } from '@temporalio/client';
import { GPU_TASK_QUEUE } from '../../../activities/contract/index.js';

export interface Completed {
  activity: string;
  gpu: boolean;
  /** As the worker calls its machine. */
  machine: string;
  /** Tries, the last of which succeeded. */
  attempts: number;
  /** Milliseconds of the server's clock. */
  scheduled: number;
  started: number;
  ended: number;
}

interface Time {
  seconds?: unknown;
  nanos?: number | null;
}
const millis = (time: Time | null | undefined): number => Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/** Of the run and all its stages, in the order in which they ended. */
export async function completedActivities(client: Client, run: string): Promise<Completed[]> {
  const found: Completed[] = [];
  const open = client.workflow.list({ query: `WorkflowId STARTS_WITH "${run}"` });
  for await (const { workflowId, runId } of open) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const scheduled = new Map<string, { activity: string; gpu: boolean; at: number }>();
    const started = new Map<string, { machine: string; attempts: number; at: number }>();
    for (const { eventId, eventTime, ...event } of events ?? []) {
      const asked = event.activityTaskScheduledEventAttributes;
      if (asked) {
        const gpu = asked.taskQueue?.name === GPU_TASK_QUEUE;
        scheduled.set(String(eventId), { activity: asked.activityType!.name!, gpu, at: millis(eventTime) });
      }
      const begun = event.activityTaskStartedEventAttributes;
      if (begun) {
        const machine = (begun.identity ?? '').replace(/^\d+@/, '');
        started.set(String(begun.scheduledEventId), { machine, attempts: begun.attempt ?? 1, at: millis(eventTime) });
      }
      const done = event.activityTaskCompletedEventAttributes;
      const [was, by] = [scheduled.get(String(done?.scheduledEventId)), started.get(String(done?.scheduledEventId))];
      if (!was || !by) continue;
      const { activity, gpu, at } = was;
      const { machine, attempts } = by;
      found.push({ activity, gpu, machine, attempts, scheduled: at, started: by.at, ended: millis(eventTime) });
    }
  }
  return found.sort((a, b) => a.ended - b.ended);
}
