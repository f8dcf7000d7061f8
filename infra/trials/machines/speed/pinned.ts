/** GPU workers that have a core each to themselves, at a server with one CPU worker beside them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type CurriculumResult, TASK_QUEUE } from '../../../../activities/contract/index.js';
import type { RunSpec } from '../../../../activities/spec/index.js';
import { LONGHAUL_COMMAND } from '../../../checkout.js';
import { logsOf, stackEnvironment, startStack } from '../../../local/stack.js';
import { Supervised } from '../../../local/supervised.js';
import { type Completed, completedActivities } from '../completed.js';

const RUN = 'run';
const GRACE_MS = 60_000;

export interface Timed {
  workers: number;
  result: CurriculumResult;
  completed: Completed[];
}

/** The run on so many workers, the k-th on core k with one thread. */
export async function pinnedRun(folder: string, spec: RunSpec, workers: number): Promise<Timed> {
  const state = join(folder, `workers-${workers}`);
  const store = join(state, 'store');
  await mkdir(logsOf(state), { recursive: true });
  const stack = await startStack({ state, store, workers: ['cpu'], log: () => {} });
  const pinned = Array.from({ length: workers }, (_, core) => {
    const worker = new Supervised({
      name: `gpu worker ${core}`,
      command: 'taskset',
      args: ['-c', String(core), process.execPath, LONGHAUL_COMMAND, 'worker', 'gpu', '--threads', '1'],
      env: stackEnvironment(state, store),
      logFile: join(logsOf(state), `gpu-${core}.log`),
      channel: true,
      onEnd: () => {},
      onStart: () => {},
    });
    worker.start();
    return worker;
  });
  try {
    const connection = await Connection.connect({ address: stack.address });
    const client = new Client({ connection });
    const result = await client.workflow.execute('curriculum', {
      taskQueue: TASK_QUEUE,
      workflowId: RUN,
      args: [spec],
    });
    const completed = await completedActivities(client, RUN);
    await connection.close();
    return { workers, result: result as CurriculumResult, completed };
  } finally {
    await Promise.all(pinned.map(worker => worker.stop(GRACE_MS)));
    await stack.stop();
  }
}
