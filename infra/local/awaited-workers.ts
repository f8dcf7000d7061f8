/** Whether there is anybody to do what is begun: workers of each kind wait at a task queue of their own. */
import type { Client } from '@temporalio/client';
import { ENGINE_QUEUES, type EngineKind, TASK_QUEUE } from '../../activities/contract/index.js';
import { UserError } from '../user-error.js';
import { nextCommand } from './command-lines.js';

/** A queue, which of its sides is asked at (as the server's own protocol numbers them), and how a worker for it is started. */
interface Place {
  name: string;
  side: number;
  command: () => string;
}

const WORKFLOWS: Place = { name: TASK_QUEUE, side: 1, command: () => nextCommand('worker cpu') };
const ENGINES: Record<EngineKind, Place> = {
  onnx: { name: ENGINE_QUEUES.onnx, side: 2, command: () => nextCommand('worker gpu') },
  tinker: {
    name: ENGINE_QUEUES.tinker,
    side: 2,
    command: () => nextCommand('worker gpu', '--engine', 'tinker', '--engine-url', 'URL'),
  },
};

/**
 * What to tell whoever begins something that nobody is there for: a line for each queue that no worker has asked at lately.
 * @param engines those that are needed, as far as it is known here
 */
export async function withoutWorkers(client: Client, engines: Iterable<EngineKind>): Promise<string[]> {
  const places = [WORKFLOWS, ...[...new Set(engines)].map(kind => ENGINES[kind])];
  const lines = places.map(async ({ name, side, command }) => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: side,
    });
    if ((pollers ?? []).length > 0) return [];
    return [`No worker asks for work at the task queue ${name} yet, and all that is begun waits for one: ${command()}`];
  });
  return (await Promise.all(lines)).flat();
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
