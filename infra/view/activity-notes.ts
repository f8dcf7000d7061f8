/** What a run's activities are at right now, from their heartbeats, and why one is being tried again. */
import { type Client, defaultPayloadConverter, WorkflowNotFoundError } from '@temporalio/client';
import { decodeApplicationFailureCategory } from '@temporalio/common';
import type { HeartbeatDetails } from '../../activities/supervision/index.js';

export interface ActivityNotes {
  /** "sampling step 3, 1200 of 4096 tokens": changes all the time. */
  doing: string[];
  /** "update is tried again (try 3): disk full": something a person may want to know. */
  retries: string[];
}

/** @param workflows ids of the workflows whose activities count; one that has ended, or is only now started, has none */
export async function activityNotes(client: Client, workflows: string[]): Promise<ActivityNotes> {
  const notes: ActivityNotes = { doing: [], retries: [] };
  for (const id of workflows) {
    const { raw } = await client.workflow.getHandle(id).describe().catch(unlessMissing);
    for (const { activityType, attempt, lastFailure, heartbeatDetails } of raw.pendingActivities ?? []) {
      const [payload] = heartbeatDetails?.payloads ?? [];
      if (payload) {
        const details = defaultPayloadConverter.fromPayload<HeartbeatDetails>(payload);
        // What goes on all the time has nothing to say but its troubles.
        if (details.doing !== '') notes.doing.push(doing(details));
        notes.retries.push(...(details.troubles ?? []));
      }
      // What is handed on to another engine is in no trouble.
      const benign = decodeApplicationFailureCategory(lastFailure?.applicationFailureInfo?.category) === 'BENIGN';
      if (lastFailure?.message && !benign && (attempt ?? 1) > 1) {
        notes.retries.push(
          `${activityType?.name} is tried again (try ${attempt}): ${lastFailure.message.split('\n')[0]}`,
        );
      }
    }
  }
  return notes;
}

const unlessMissing = (error: unknown): { raw: { pendingActivities?: null } } => {
  if (error instanceof WorkflowNotFoundError) return { raw: {} };
  throw error;
};

function doing({ doing: what, engine }: HeartbeatDetails): string {
  return engine ? `${what}, ${engine.done} of ${engine.total} ${engine.unit}` : what;
}
