/** The preset tiny on a folder and on a bucket, in turn, with as many workers: what the bucket adds to its time. */
import { join } from 'node:path';
import { type CurriculumResult, TASK_QUEUE } from '../../../activities/contract/index.js';
import { processorTime } from '../../bench/process-usage.js';
import { median } from '../../bench/statistics.js';
import { Cluster, pidOf } from '../../chaos/cluster.js';
import { ChaosBucket } from '../../chaos/stores/bucket.js';
import type { ChaosStore } from '../../chaos/stores/chaos-store.js';
import { ChaosFolder } from '../../chaos/stores/folder.js';
import { Gateway } from '../../chaos/stores/gateway.js';
import { CHECKOUT } from '../../checkout.js';
import { loadSpec } from '../../specs/spec-files.js';
import type { Finding } from '../findings.js';
import type { SpeedOptions } from './speed-options.js';

const MOST_ADDED = 0.1;
const RUN = 'tiny';
const LIMIT = '2 hours';
/** Less training cannot be learnt from: the warm-up stays. */
const SHORT = [0, 1, 2, 3].flatMap(k => [`phases.${k}.steps=4`, `evaluation.sets.${k}.source.count=25`]);

interface Timed {
  seconds: number;
  /** Processor time of the four workers, without their engines. */
  workerSeconds: number;
  sha256: string;
}

export async function tinyRuns({ folder, port, runs, whole, say }: SpeedOptions): Promise<Finding> {
  const { spec } = await loadSpec('tiny', whole ? [] : SHORT, CHECKOUT);
  const gateway = await Gateway.start(join(folder, 'tiny-gateway'), port + 4);
  const timed = async (name: string, store: ChaosStore): Promise<Timed> => {
    const cluster = await Cluster.start({ state: join(folder, name), store, env: {}, log: () => {} });
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
      const workerSeconds = cluster.workers.reduce(
        (sum, { process }) => sum + (processorTime(pidOf(process) ?? 0) ?? 0),
        0,
      );
      say(`${name}: ${seconds.toFixed(1)} s, processor time of the workers ${workerSeconds.toFixed(1)} s`);
      return { seconds, workerSeconds, sha256: result.policy.sha256 };
    } finally {
      await cluster.stop();
    }
  };
  const pairs: { folder: Timed; bucket: Timed }[] = [];
  try {
    for (let k = 0; k < runs; k++) {
      const onFolder = () => timed(`folder-${k}`, new ChaosFolder(join(folder, `store-${k}`)));
      const onBucket = async () => {
        const place = join(folder, `bucket-${k}`);
        const store = await ChaosBucket.open(`s3://bucket/tiny-${k}`, place, gateway, { direct: true });
        return timed(`bucket-${k}`, store).finally(() => store.stop());
      };
      // Now one first, now the other.
      const first = k % 2 === 0 ? await onFolder() : null;
      const bucket = await onBucket();
      pairs.push({ folder: first ?? (await onFolder()), bucket });
    }
  } finally {
    await gateway.stop();
  }
  return reported(pairs, whole ? 'tiny' : 'short tiny');
}

function reported(pairs: readonly { folder: Timed; bucket: Timed }[], what: string): Finding {
  const ratios = pairs.map(({ folder, bucket }) => bucket.seconds / folder.seconds);
  const added = (ratio: number) => `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)} %`;
  const lines = pairs.map(({ folder, bucket }, k) => [
    `${what}, pair ${k + 1}`,
    `${folder.seconds.toFixed(1)} s`,
    `${bucket.seconds.toFixed(1)} s`,
    added(ratios[k]!),
    `${folder.workerSeconds.toFixed(1)} s, ${bucket.workerSeconds.toFixed(1)} s`,
    folder.sha256 === bucket.sha256 ? `same bits (${folder.sha256.slice(0, 8)}…)` : '**other bits**',
  ]);
  lines.push(['median', '', '', added(median(ratios)), '', '']);
  return {
    name: 's3 tiny',
    table: { columns: ['', 'on a folder', 'on a bucket', 'added', 'processor time of the workers', 'ends in'], lines },
    holds: median(ratios) <= 1 + MOST_ADDED && pairs.every(({ folder, bucket }) => folder.sha256 === bucket.sha256),
  };
}
