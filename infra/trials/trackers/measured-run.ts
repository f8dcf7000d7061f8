/** One run on a stack of its own: how long each step took, and the processor time of whatever had a part in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { CurriculumResult } from '../../../activities/contract/index.js';
import { attemptsOf, stepNumbers } from '../../../activities/policies/index.js';
import type { ExportSettings, RunSpec } from '../../../activities/spec/index.js';
import { claimedAttempt, openStore, type Store, stageUri, stepUri } from '../../../activities/store/index.js';
import { processorTime } from '../../bench/process-usage.js';
import { beginRun } from '../../local/begin-run.js';
import { metricsUrls, startStack } from '../../local/stack.js';

export interface Exporters {
  trackers: ExportSettings | null;
  metrics: boolean;
  traces: boolean;
}

export interface MeasuredRun {
  /** A step's, the mean from the second phase on. */
  seconds: number;
  /** Seconds of the processor, from the second phase on: of the engine, of the two workers, and of the Temporal server. */
  processor: Record<Part, number>;
  /** That were made in that time. */
  steps: number;
  /** Of the last policy. */
  sha256: string;
}

const METRICS_PORT = 19_564;
const SCRAPE_MS = 5000;
const LOOK_MS = 50;
const FIRST = 'phase-2';

export async function measuredRun(
  state: string,
  run: string,
  spec: RunSpec,
  { trackers, metrics, traces }: Exporters,
): Promise<MeasuredRun> {
  const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
  const telemetry = {
    ...(metrics && { metrics: { port: METRICS_PORT, host: '127.0.0.1' } }),
    ...(traces && { otlp: `http://127.0.0.1:${(collector.address() as AddressInfo).port}` }),
  };
  const root = join(state, 'store');
  const stack = await startStack({ state, store: root, telemetry, log: () => {} });
  const scrape = () => Promise.allSettled(metricsUrls(telemetry).map(async url => (await fetch(url)).text()));
  const scraping = setInterval(scrape, SCRAPE_MS);
  try {
    const store = await openStore(root);
    const connection = await Connection.connect({ address: stack.address });
    const client = new Client({ connection });
    await beginRun(client, run, trackers ? { ...spec, export: trackers } : spec);
    const result = client.workflow.getHandle(run).result() as Promise<CurriculumResult>;
    let isOver = false;
    void result
      .catch(() => {})
      .finally(() => {
        isOver = true;
      });
    // Before it what workers load is loaded and compiled: once, some more than others, and spread over no steps.
    while (!isOver && (await claimedAttempt(store, stageUri({ run, stage: FIRST }))) === null) await sleep(LOOK_MS);
    const before = ownProcessor();
    const { policy } = await result;
    const after = ownProcessor();
    await connection.close();
    const steps = [...(await stepSeconds(store, run))].filter(([step]) => /^phase-[2-9]/.test(step));
    const used = (part: Part) => after[part] - before[part];
    return {
      seconds: steps.reduce((sum, [, seconds]) => sum + seconds, 0) / steps.length,
      processor: {
        engine: used('engine'),
        'cpu worker': used('cpu worker'),
        'gpu worker': used('gpu worker'),
        server: used('server'),
      },
      steps: spec.phases.slice(1).reduce((sum, phase) => sum + phase.steps, 0),
      sha256: policy.sha256,
    };
  } finally {
    clearInterval(scraping);
    await stack.stop();
    collector.close();
  }
}

/** By stage and step: from the end of the step before to its own, by the times of the log's files. */
export async function stepSeconds(store: Store, run: string): Promise<Map<string, number>> {
  const seconds = new Map<string, number>();
  for (const stage of await attemptsOf(store, run)) {
    let before: Date | null = null;
    for (const step of await stepNumbers(store, stage)) {
      const at = await store.publishedAt(stepUri(stage, step, 'update.json'));
      if (before && at) seconds.set(`${stage.stage}/${step}`, (at.getTime() - before.getTime()) / 1000);
      before = at;
    }
  }
  return seconds;
}

/** By what stands in their command lines. What is none of them is the trackers' servers, which mostly have a machine of their own. */
const PARTS = {
  engine: 'engine/process/child',
  'cpu worker': '\0worker\0cpu',
  'gpu worker': '\0worker\0gpu',
  server: '\0start-dev',
} as const;
type Part = keyof typeof PARTS;

/** Of all that this process has started and that still runs. */
function ownProcessor(): Record<Part, number> {
  const used = { engine: 0, 'cpu worker': 0, 'gpu worker': 0, server: 0 };
  for (const pid of descendants(process.pid)) {
    const command = read(`/proc/${pid}/cmdline`);
    const part = (Object.keys(PARTS) as Part[]).find(one => command.includes(PARTS[one]));
    if (part) used[part] += processorTime(pid) ?? 0;
  }
  return used;
}

function descendants(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => [Number(pid), Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1])] as const);
  const childrenOf = (of: number): number[] =>
    parents.flatMap(([pid, parent]) => (parent === of ? [pid, ...childrenOf(pid)] : []));
  return childrenOf(root);
}

/** Empty of a process that has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
