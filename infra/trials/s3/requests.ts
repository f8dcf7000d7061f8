/** What a tiny run asks of its bucket's server: counted by a proxy before it, so the same on every machine, busy or not. */
import { join } from 'node:path';
import { median } from '../../bench/statistics.js';
import { ChaosBucket } from '../../chaos/stores/bucket.js';
import { Gateway } from '../../chaos/stores/gateway.js';
import type { Finding } from '../findings.js';
import { nameOf, oneTiny } from './one-tiny.js';
import type { SpeedOptions } from './speed-options.js';

interface Asked {
  method: string;
  path: string;
}

export async function tinyRequests({ folder, port, whole, say }: SpeedOptions): Promise<Finding> {
  const gateway = await Gateway.start(join(folder, 'asked-gateway'), port + 5);
  const asked: Asked[] = [];
  try {
    const store = await ChaosBucket.open('s3://bucket/asked', join(folder, 'asked-cache'), gateway);
    // What `store create` tries the server with is no part of a run.
    store.link.onAsked = (method, path) => void (path.includes('/probe/') || asked.push({ method, path }));
    await oneTiny(join(folder, 'asked'), store, whole).finally(() => store.stop());
  } finally {
    await gateway.stop();
  }
  say(`${asked.length} requests`);
  return reported(asked, nameOf(whole));
}

function reported(asked: readonly Asked[], run: string): Finding {
  const kinds = [...new Set(asked.map(kindOf))].map(kind => [kind, asked.filter(one => kindOf(one) === kind).length]);
  const lines = [
    [`all of ${run}`, String(asked.length), kinds.map(([kind, count]) => `${count} ${kind}`).join(', ')],
    [
      ...['a step of the warm-up', median(perStep(asked, 'warmup')).toFixed(0)],
      'from one logged step to the next, median',
    ],
    ['a step of reinforcement learning', median(perStep(asked, 'phase')).toFixed(0), 'likewise; each round adds six'],
  ];
  return { name: 's3 requests', table: { columns: ['', 'requests', ''], lines }, holds: true };
}

const kindOf = ({ method, path }: Asked): string => (path.includes('list-type=2') ? 'LIST' : method);

/** How many lie between each step's log entry and the next one's in the same stage. */
function perStep(asked: readonly Asked[], stage: string): number[] {
  const found: number[] = [];
  let [before, at]: [string | undefined, number] = [undefined, 0];
  for (const [k, { method, path }] of asked.entries()) {
    const [, logged] = /\/((?:warmup|phase-\d+)\/\d+)\/steps\/\d+\/update\.json/.exec(path) ?? [];
    if (method !== 'PUT' || logged === undefined) continue;
    if (logged === before && logged.startsWith(stage)) found.push(k - at);
    [before, at] = [logged, k];
  }
  return found;
}
