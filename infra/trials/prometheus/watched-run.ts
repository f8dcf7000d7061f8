/** A short run of `tiny` and an evaluation beside it, on a stack whose workers show metrics. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { CHECKOUT, PRESETS } from '../../checkout.js';
import { beginRun, beginWorkflow } from '../../local/begin-run.js';
import { startStack } from '../../local/stack.js';
import { loadSpec } from '../../specs/spec-files.js';
import { UserError } from '../../user-error.js';

const LIMIT_MS = 30 * 60_000;

export interface WatchedRun {
  /** host:port of each worker's metrics. */
  targets: string[];
  /** When both have ended well. */
  done: Promise<void>;
}

/** Enough steps for rates of each kind of work. */
const SETTINGS = [
  ...[0, 1, 2, 3].map(phase => `phases.${phase}.steps=3`),
  // However little it has learnt by then.
  'rl.signal.onMissing=continue',
  ...[0, 1, 2, 3].map(set => `evaluation.sets.${set}.source.count=20`),
];

export async function withWatchedRun<T>(
  state: string,
  port: number,
  watch: (run: WatchedRun) => Promise<T>,
): Promise<T> {
  const host = '127.0.0.1';
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const stack = await startStack({ state, store: join(state, 'store'), telemetry: { metrics: { port, host } }, log });
  try {
    const connection = await Connection.connect({ address: stack.address });
    try {
      const client = new Client({ connection });
      const { spec } = await loadSpec('tiny', SETTINGS, CHECKOUT);
      await beginRun(client, 'watched', spec);
      await beginWorkflow(client, 'evaluation', 'nightly', evaluation());
      const ends = ['watched', 'nightly'].map(id => client.workflow.getHandle(id).result());
      const late = sleep(LIMIT_MS, undefined, { ref: false }).then(() => {
        throw new UserError(`The run has not ended after ${LIMIT_MS / 60_000} minutes.`);
      });
      const done = Promise.race([Promise.all(ends).then(() => {}), late]);
      done.catch(() => {}); // told to whoever waits for it
      return await watch({ targets: [port, port + 1].map(one => `${host}:${one}`), done });
    } finally {
      await connection.close();
    }
  } finally {
    await stack.stop();
  }
}

function evaluation() {
  return {
    model: { folder: join(PRESETS, 'tiny', 'base') },
    benchmarks: [{ name: 'facts', source: { type: 'world', seed: 300, count: 10, facts: [24] } }],
    prompt: { template: '{document}\nQ: {question}\nA:', chat: false },
    sampling: { maxNewTokens: 26 },
  };
}
