/** One undisturbed run, as the local stack would do it, and the account of its time. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSpec } from '../../../activities/spec.js';
import { type CurriculumResult, TASK_QUEUE } from '../../../workflows/contract.js';
import { DEFAULT_STATE } from '../../checkout.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { Program, startDevServer } from '../dev-server.js';
import { watchLoad } from '../load.js';
import { type Account, account } from './account.js';
import type { Span } from './spans.js';

export interface OverheadResult extends Account {
  /** Optimiser steps of warm-up and phases. */
  steps: number;
  /** SHA-256 of the final policy's weights. */
  sha256: string;
  /** Cores that processes kept busy that take no part; null where the system does not tell. */
  foreignLoad: number | null;
}

const WORKER = join(__dirname, 'worker.js');

export async function measureOverhead(spec: RunSpec, log: (line: string) => void): Promise<OverheadResult> {
  // On the disk that the local stack's store and database are on.
  const parent = join(DEFAULT_STATE, 'bench');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'overhead-'));
  const server = await startDevServer(folder, log);
  try {
    const start = (kind: 'cpu' | 'gpu') =>
      Program.start<Span[]>(WORKER, [kind, server.address, join(folder, 'store'), join(cacheFolder(), 'models')]);
    const workers = await Promise.all([start('cpu'), start('gpu')]);
    log('server and workers are up; the run begins');
    const load = watchLoad([server.pid, ...workers.flatMap(({ pids }) => pids)], -1);
    const from = Date.now();
    const result: CurriculumResult = await server.client.workflow.execute('curriculum', {
      workflowId: 'undisturbed',
      taskQueue: TASK_QUEUE,
      args: [spec],
    });
    const to = Date.now();
    const { foreign: foreignLoad } = load();
    const spans = (await Promise.all(workers.map(worker => worker.stop()))).flat();
    const steps = result.stages.reduce((sum, stage) => sum + stage.steps, 0);
    return { ...account(spans, from, to), steps, sha256: result.policy.sha256, foreignLoad };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
