/** Whether there is anybody to train a run: workers of its kind of engine wait at a task queue of their own. */
import type { Client } from '@temporalio/client';
import { ENGINE_QUEUES, type EngineKind } from '../../activities/contract/index.js';
import { UserError } from '../user-error.js';

/** How a worker of each kind is started. */
const COMMANDS: Record<EngineKind, string> = {
  onnx: 'npx longhaul worker gpu',
  tinker: 'npx longhaul worker gpu --engine tinker --engine-url URL',
};

/** As the server's own protocol numbers the kinds of task queues. */
const ACTIVITIES = 2;

/** What to tell whoever starts a run that no worker has asked to train lately; null where one has. */
export async function withoutWorkers(client: Client, kind: EngineKind): Promise<string | null> {
  const name = ENGINE_QUEUES[kind];
  const { namespace } = client.options;
  const described = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    taskQueueType: ACTIVITIES,
  });
  if ((described.pollers ?? []).length > 0) return null;
  return `No worker asks for work at the task queue ${name} yet, and the run waits for one: ${COMMANDS[kind]}`;
}

/**
 * Before a local stack is started: its one worker with an engine is of the kind that the environment says.
 * @param variable by which it says so
 * @throws UserError where the run needs the other
 */
export function expectEngine(kind: EngineKind, variable: string, environment: NodeJS.ProcessEnv = process.env): void {
  const given = environment[variable] || 'onnx';
  if (given === kind) return;
  throw new UserError(
    kind === 'tinker'
      ? `engine.kind is "tinker": say where the training service is, with ${variable}=tinker and ${variable}_URL=http://HOST:PORT before the command.`
      : `The run is trained by this machine, and ${variable} is "${given}": unset it, or give the spec engine.kind "tinker".`,
  );
}
