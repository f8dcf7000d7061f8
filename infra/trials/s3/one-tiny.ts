/** One run of the preset tiny on a cluster of its own. */
import { type CurriculumResult, TASK_QUEUE } from '../../../activities/contract/index.js';
import { processorTime } from '../../bench/process-usage.js';
import { Cluster, pidOf } from '../../chaos/cluster.js';
import type { ChaosStore } from '../../chaos/stores/chaos-store.js';
import { CHECKOUT } from '../../checkout.js';
import { loadSpec } from '../../specs/spec-files.js';

const RUN = 'tiny';
const LIMIT = '2 hours';
/** Less training cannot be learnt from: the warm-up stays. */
const SHORT = [0, 1, 2, 3].flatMap(k => [`phases.${k}.steps=4`, `evaluation.sets.${k}.source.count=25`]);

export interface TinyRun {
  seconds: number;
  /** Processor time of the four workers, without their engines. */
  workerSeconds: number;
  /** Of the policy that it ends with. */
  sha256: string;
}

export const nameOf = (whole: boolean): string => (whole ? 'tiny' : 'short tiny');

/** @param state folder for the database and the logs */
export async function oneTiny(state: string, store: ChaosStore, whole: boolean): Promise<TinyRun> {
  const { spec } = await loadSpec('tiny', whole ? [] : SHORT, CHECKOUT);
  const cluster = await Cluster.start({ state, store, env: {}, log: () => {} });
  try {
    const began = performance.now();
    // Nobody looks at the store meanwhile: that would cost a bucket's server far more than a disk.
    const result: CurriculumResult = await cluster.client.workflow.execute('curriculum', {
      taskQueue: TASK_QUEUE,
      workflowId: RUN,
      args: [spec],
      workflowExecutionTimeout: LIMIT,
    });
    const seconds = (performance.now() - began) / 1000;
    const times = cluster.workers.map(({ process }) => processorTime(pidOf(process) ?? 0) ?? 0);
    return { seconds, workerSeconds: times.reduce((a, b) => a + b, 0), sha256: result.policy.sha256 };
  } finally {
    await cluster.stop();
  }
}
