/** A large folder through the store, beside the same by a command line tool: `aws s3 cp`, on the same server and disk. */
import { execFile } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Gateway } from '../../chaos/stores/gateway.js';
import { CHECKOUT } from '../../checkout.js';
import type { Finding } from '../findings.js';
import { makeBucket } from './make-bucket.js';
import { KEYS } from './servers.js';
import type { SpeedOptions } from './speed-options.js';
import type { Transfer } from './transfer.js';

const execute = promisify(execFile);
const MIB = 1 << 20;
const GIB = 1 << 30;
/** Of a checkpoint's files: as large as shards of models are. */
const SHARD_BYTES = 2 * GIB;
const MOST_MEMORY_MIB = 400;
const LEAST_SHARE = 0.7;

export async function largeFolder(options: SpeedOptions): Promise<Finding> {
  const { folder, python, port, gib, say } = options;
  const source = join(folder, 'source');
  say(`writing ${gib} GiB`);
  await writeLarge(source, gib * GIB);
  const gateway = await Gateway.start(join(folder, 'gateway'), port, KEYS);
  try {
    const env = {
      ...process.env,
      ...gateway.env,
      AWS_DEFAULT_REGION: 'us-east-1',
      LONGHAUL_STORE_CACHE: join(folder, 'cache'),
    };
    await makeBucket(gateway.url, KEYS, 'tool');
    const own = async (doing: 'publish' | 'fetch') => {
      const program = join(CHECKOUT, 'dist', 'infra', 'trials', 's3', 'transfer.js');
      const { stdout } = await execute(process.execPath, [program, doing, 's3://bucket/own', source], { env });
      return JSON.parse(stdout) as Transfer;
    };
    const tool = async (from: string, to: string) => {
      const began = performance.now();
      const words = ['s3', 'cp', '--recursive', '--only-show-errors', '--endpoint-url', gateway.url, from, to];
      await execute(join(dirname(python), 'aws'), words, { env });
      return (performance.now() - began) / 1000;
    };
    say('up: the store, then aws s3 cp');
    const up = { own: await own('publish'), tool: await tool(source, 's3://tool/large') };
    say('down: the store, then aws s3 cp');
    const down = { own: await own('fetch'), tool: 0 };
    await rm(join(folder, 'cache'), { recursive: true, force: true });
    await mkdir(join(folder, 'fetched'));
    down.tool = await tool('s3://tool/large', join(folder, 'fetched'));
    await rm(join(folder, 'fetched'), { recursive: true, force: true });
    return reported({ up, down }, gib);
  } finally {
    await gateway.stop();
    await rm(source, { recursive: true, force: true });
    await rm(join(folder, 'gateway'), { recursive: true, force: true });
  }
}

type Direction = { own: Transfer; tool: number };

function reported(found: Record<'up' | 'down', Direction>, gib: number): Finding {
  const columns = ['', 'the store', 'aws s3 cp', 'share', 'memory above idle', 'processor'];
  const speed = (seconds: number) => `${((gib * GIB) / MIB / seconds).toFixed(0)} MiB/s`;
  const above = ({ own }: Direction) => (own.peakBytes - own.idleBytes) / MIB;
  const share = ({ own, tool }: Direction) => tool / own.seconds;
  const lines = (['up', 'down'] as const).map(way => {
    const { own, tool } = found[way];
    return [
      `${gib} GiB ${way}`,
      speed(own.seconds),
      speed(tool),
      `${(100 * share(found[way])).toFixed(0)} %`,
      `${above(found[way]).toFixed(0)} MiB`,
      `${own.processorSeconds.toFixed(1)} s`,
    ];
  });
  const all = Object.values(found);
  return {
    name: 's3 large folder',
    table: { columns, lines },
    holds: all.every(way => above(way) < MOST_MEMORY_MIB && share(way) >= LEAST_SHARE),
  };
}

/** Bytes that no file system shares or shrinks; the same ones each time. */
async function writeLarge(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), '{}');
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const nothing = Buffer.alloc(MIB);
  for (let shard = 0, left = bytes; left > 0; shard++) {
    const file = await open(join(folder, `model-${shard}.safetensors`), 'w');
    for (const end = Math.max(0, left - SHARD_BYTES); left > end; left -= MIB) await file.write(stream.update(nothing));
    await file.close();
  }
}
