/** Makes sure a run is under way: started, found at work, or started again where it failed. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type CurriculumInput, TASK_QUEUE } from '../../activities/contract/index.js';
import { hashOf } from '../../activities/store/index.js';

/** On each workflow started here: tells a later start whether it means the same run. */
export const SPEC_MEMO = 'specSha256';

export interface Begun {
  /**
   * started: there was no such run. resumed: it is at work. again: it had ended without success, and goes on from what it
   * has published. finished: it is done.
   */
  how: 'started' | 'resumed' | 'again' | 'finished';
  /** The run was started with another spec than the one given now; it keeps its own. */
  otherSpec: boolean;
}

export const beginRun = (client: Client, run: string, input: CurriculumInput) =>
  beginWorkflow(client, 'curriculum', run, input);

/** The same for any workflow that is called by its id and goes by one spec. */
export async function beginWorkflow(client: Client, type: string, id: string, spec: unknown): Promise<Begun> {
  const found = await describe(client, id);
  const sha256 = hashOf(spec);
  const before = found?.memo?.[SPEC_MEMO];
  const otherSpec = before !== undefined && before !== sha256;
  if (found?.status === 'RUNNING') return { how: 'resumed', otherSpec };
  if (found?.status === 'COMPLETED') return { how: 'finished', otherSpec };
  await client.workflow.start(type, {
    taskQueue: TASK_QUEUE,
    workflowId: id,
    args: [spec],
    memo: { [SPEC_MEMO]: sha256 },
    workflowIdConflictPolicy: 'USE_EXISTING', // two at once: both watch the one run
  });
  return { how: found ? 'again' : 'started', otherSpec: false };
}

async function describe(client: Client, run: string) {
  try {
    const { status, memo } = await client.workflow.getHandle(run).describe();
    return { status: status.name, memo };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
