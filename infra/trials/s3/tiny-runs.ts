/** The preset tiny on a folder and on a bucket, in turn, with as many workers: what the bucket adds to its time. */
import { join } from 'node:path';
import { median } from '../../bench/statistics.js';
import { ChaosBucket } from '../../chaos/stores/bucket.js';
import type { ChaosStore } from '../../chaos/stores/chaos-store.js';
import { ChaosFolder } from '../../chaos/stores/folder.js';
import { Gateway } from '../../chaos/stores/gateway.js';
import type { Finding } from '../findings.js';
import { nameOf, oneTiny, type TinyRun } from './one-tiny.js';
import type { SpeedOptions } from './speed-options.js';

const MOST_ADDED = 0.1;

export async function tinyRuns({ folder, port, runs, whole, say }: SpeedOptions): Promise<Finding> {
  const gateway = await Gateway.start(join(folder, 'tiny-gateway'), port + 4);
  const timed = async (name: string, store: ChaosStore): Promise<TinyRun> => {
    const run = await oneTiny(join(folder, name), store, whole);
    say(`${name}: ${run.seconds.toFixed(1)} s, processor time of the workers ${run.workerSeconds.toFixed(1)} s`);
    return run;
  };
  const pairs: { folder: TinyRun; bucket: TinyRun }[] = [];
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
  return reported(pairs, nameOf(whole));
}

function reported(pairs: readonly { folder: TinyRun; bucket: TinyRun }[], what: string): Finding {
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
