/** A long phase through the real workflows, its activities answering at once: what it leaves behind, and what it takes. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { GPU_TASK_QUEUE, TASK_QUEUE } from '../../../activities/contract/index.js';
import { type DevServer, Program, startDevServer } from '../dev-server.js';
import { residentMemory } from '../process-usage.js';
import { withScratch } from '../scratch.js';
import { instantActivities } from './instant-activities.js';
import type { Sample } from './memory.js';

export interface HistoryResult {
  steps: number;
  seconds: number;
  /** Of the phase, in the order in which they ran; all but the last continued as new. */
  executions: HistorySize[];
  /** Of the run that the phase is a child of. */
  parent: HistorySize;
  /** Resident memory of the process that runs the workflows, over the steps. */
  samples: Sample[];
}

export interface HistorySize {
  events: number;
  bytes: number;
}

/** Samples of memory in all. */
const SAMPLES = 200;
const RUN = 'long';
const PHASE = `${RUN}/phase-1/1`;
const WORKER = join(__dirname, 'worker.js');
/** The list of executions follows their end within moments. */
const LIST_TRIES = 100;

export function measureHistory(steps: number, log: (line: string) => void): Promise<HistoryResult> {
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  return withScratch('history', folder => measureIn(folder, steps, log));
}

async function measureIn(folder: string, steps: number, log: (line: string) => void): Promise<HistoryResult> {
  const server = await startDevServer(folder, log);
  try {
    const workflows = await Program.start<null>(WORKER, [server.address]);
    const samples: Sample[] = [];
    const every = Math.max(1, Math.floor(steps / SAMPLES));
    const stop = await startActivities(server.address, steps, step => {
      const bytes = step % every === 0 ? residentMemory(workflows.pids[0]!) : null;
      if (bytes !== null) samples.push({ step, bytes });
      if (step % (every * 20) === 0) log(`step ${step} of ${steps}`);
    });
    const started = performance.now();
    await server.client.workflow.execute('curriculum', { workflowId: RUN, taskQueue: TASK_QUEUE, args: [{}] });
    const seconds = (performance.now() - started) / 1000;
    const [executions, [run]] = [await sizesOf(server, PHASE), await sizesOf(server, RUN)];
    await workflows.stop();
    await stop();
    return { steps, seconds, executions, parent: run!, samples };
  } finally {
    await server.stop();
  }
}

/** Workers for the activities alone, in this process. @returns what stops them */
async function startActivities(
  address: string,
  steps: number,
  onStep: (step: number) => void,
): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect({ address });
  const activities = instantActivities(steps, onStep);
  const workers = await Promise.all(
    [TASK_QUEUE, GPU_TASK_QUEUE].map(taskQueue => Worker.create({ connection, taskQueue, activities })),
  );
  const running = workers.map(worker => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
  };
}

/** Of every execution of a workflow, oldest first, once all have ended. */
async function sizesOf({ client }: DevServer, workflowId: string): Promise<HistorySize[]> {
  for (let tries = 1; ; tries++) {
    const found: WorkflowExecutionInfo[] = [];
    for await (const one of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) found.push(one);
    if (found.length > 0 && found.every(({ status }) => status.name !== 'RUNNING')) {
      return found
        .sort((a, b) => a.startTime.getTime() - b.startTime.getTime())
        .map(({ historyLength, historySize }) => ({ events: historyLength, bytes: historySize ?? 0 }));
    }
    if (tries === LIST_TRIES) throw new Error(`${workflowId}: the server does not list its executions as ended`);
    await sleep(100);
  }
}
