/** The same run on one machine, with one worker of each kind and a folder for a store, its work not cut: what it should come to. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type CurriculumResult, TASK_QUEUE } from '../../../activities/contract/index.js';
import type { RunSpec } from '../../../activities/spec/index.js';
import { FolderStore, type OpenedStore } from '../../../activities/store/index.js';
import { startStack } from '../../local/stack.js';
import { RUN } from './disturbed.js';

export interface Undisturbed {
  result: CurriculumResult;
  seconds: number;
  store: OpenedStore;
}

export async function undisturbedRun(folder: string, { shards: _, ...spec }: RunSpec): Promise<Undisturbed> {
  const state = join(folder, 'undisturbed');
  const store = new FolderStore(join(state, 'store'));
  const stack = await startStack({ state, store: store.root, log: () => {} });
  try {
    const connection = await Connection.connect({ address: stack.address });
    const began = Date.now();
    const result = await new Client({ connection }).workflow.execute('curriculum', {
      taskQueue: TASK_QUEUE,
      workflowId: RUN,
      args: [spec],
    });
    await connection.close();
    return { result: result as CurriculumResult, seconds: (Date.now() - began) / 1000, store };
  } finally {
    await stack.stop();
  }
}
