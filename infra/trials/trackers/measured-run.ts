/** One run on a stack of its own: how long each step took, and the processor time of whatever had a part in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { CurriculumResult } from '../../../activities/contract/index.js';
import { attemptsOf, stepNumbers } from '../../../activities/policies/index.js';
import type { ExportSettings, RunSpec } from '../../../activities/spec/index.js';
import { openStore, type Store, stepUri } from '../../../activities/store/index.js';
import { processorTime } from '../../bench/process-usage.js';
import { beginRun } from '../../local/begin-run.js';
import { metricsUrls, startStack } from '../../local/stack.js';

/** Seconds. */
export interface MeasuredRun {
  /** By stage and step, of those that have another before them in their stage. */
  steps: Map<string, number>;
  /** Of the engine, and of everything else of longhaul's: workers and the Temporal server. */
  processor: { engine: number; others: number };
  /** Of the last policy. */
  sha256: string;
}

const METRICS_PORT = 19_564;
const SCRAPE_MS = 5000;

/** @param exportTo all trackers; null: none, and neither metrics nor traces */
export async function measuredRun(
  state: string,
  run: string,
  spec: RunSpec,
  exportTo: ExportSettings | null,
): Promise<MeasuredRun> {
  const collector = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
  const metrics = { port: METRICS_PORT, host: '127.0.0.1' };
  const otlp = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const telemetry = exportTo ? { metrics, otlp } : {};
  const store = join(state, 'store');
  const stack = await startStack({ state, store, telemetry, log: () => {} });
  const scrape = () => Promise.allSettled(metricsUrls(telemetry).map(async url => (await fetch(url)).text()));
  const scraping = setInterval(scrape, SCRAPE_MS);
  try {
    const connection = await Connection.connect({ address: stack.address });
    const client = new Client({ connection });
    await beginRun(client, run, exportTo ? { ...spec, export: exportTo } : spec);
    const { policy } = (await client.workflow.getHandle(run).result()) as CurriculumResult;
    await connection.close();
    return { steps: await stepSeconds(await openStore(store), run), processor: ownProcessor(), sha256: policy.sha256 };
  } finally {
    clearInterval(scraping);
    await stack.stop();
    collector.close();
  }
}

/** From the end of the step before to its own, by the times of the log's files. */
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

const ENGINE = 'engine/process/child';
/** The trackers' servers, which mostly have a machine of their own. */
const TRACKERS = /mlflow|trackio|python/;

/** Of all that this process has started and that still runs. */
function ownProcessor(): MeasuredRun['processor'] {
  const used = { engine: 0, others: 0 };
  for (const pid of descendants(process.pid)) {
    const command = read(`/proc/${pid}/cmdline`);
    if (TRACKERS.test(command)) continue;
    used[command.includes(ENGINE) ? 'engine' : 'others'] += processorTime(pid) ?? 0;
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
