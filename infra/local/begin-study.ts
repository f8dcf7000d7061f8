/** Makes sure a study is under way with the spec that is given: started, found at work, or given what it has not yet. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type StudySpecInput, TASK_QUEUE } from '../../activities/contract/index.js';
import { hashOf } from '../../activities/store/index.js';
import { SPEC_MEMO } from './begin-run.js';

/** started: no such study was at work. resumed: it is at work on this spec. extended: it was at work on another, and took this up. */
export type BegunStudy = 'started' | 'resumed' | 'extended';

/** @throws WorkflowUpdateFailedError where a study at work cannot take the spec up */
export async function beginStudy(client: Client, study: string, input: StudySpecInput): Promise<BegunStudy> {
  const memo = { [SPEC_MEMO]: hashOf(input) };
  const found = await client.workflow
    .getHandle(study)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
  if (found?.status.name === 'RUNNING') {
    if (found.memo?.[SPEC_MEMO] === memo[SPEC_MEMO]) return 'resumed';
    await client.workflow.getHandle(study).executeUpdate('extend', { args: [input] });
    return 'extended';
  }
  // One that has ended begins with what is in the store.
  await client.workflow.start('study', { taskQueue: TASK_QUEUE, workflowId: study, args: [input], memo });
  return 'started';
}
