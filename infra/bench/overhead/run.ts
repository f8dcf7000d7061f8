/** One undisturbed run, as the local stack would do it, and the account of its time. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type CurriculumResult, type Progress, TASK_QUEUE } from '../../../activities/contract/index.js';
import type { RunSpec } from '../../../activities/spec/index.js';
import { FolderStore } from '../../../activities/store/index.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { UserError } from '../../user-error.js';
import { Program, startDevServer } from '../dev-server.js';
import { watchLoad } from '../load.js';
import { withScratch } from '../scratch.js';
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

/** Between looks at whether it waits for a person: seldom, for each is work for the server and the worker. */
const LOOK_MS = 10_000;
const WORKER = join(__dirname, 'worker.js');

/** @throws UserError when the run stops for want of something only a person can give */
export function measureOverhead(spec: RunSpec, log: (line: string) => void): Promise<OverheadResult> {
  return withScratch('overhead', folder => measureIn(folder, spec, log));
}

async function measureIn(folder: string, spec: RunSpec, log: (line: string) => void): Promise<OverheadResult> {
  await new FolderStore(join(folder, 'store')).create();
  const server = await startDevServer(folder, log);
  try {
    const start = (kind: 'cpu' | 'gpu') =>
      Program.start<Span[]>(WORKER, [kind, server.address, join(folder, 'store'), join(cacheFolder(), 'models')]);
    const workers = await Promise.all([start('cpu'), start('gpu')]);
    log('server and workers are up; the run begins');
    const load = watchLoad([server.pid, ...workers.flatMap(({ pids }) => pids)], -1);
    const from = Date.now();
    const result = await run(server.client, spec);
    const to = Date.now();
    const { foreign: foreignLoad } = load();
    const spans = (await Promise.all(workers.map(worker => worker.stop()))).flat();
    const steps = result.stages.reduce((sum, stage) => sum + stage.steps, 0);
    return { ...account(spans, from, to), steps, sha256: result.policy.sha256, foreignLoad };
  } finally {
    await server.stop();
  }
}

async function run({ workflow }: Client, spec: RunSpec): Promise<CurriculumResult> {
  const handle = await workflow.start('curriculum', {
    workflowId: 'undisturbed',
    taskQueue: TASK_QUEUE,
    args: [spec],
  });
  const done = new AbortController();
  const stops = async (): Promise<never> => {
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal: done.signal });
      const { advice } = await handle.query<Progress>('progress');
      if (advice !== null) throw new UserError(`The run goes no further: ${advice.split('\n')[0]}`);
    }
  };
  try {
    return await Promise.race([handle.result(), stops()]);
  } finally {
    done.abort();
  }
}
