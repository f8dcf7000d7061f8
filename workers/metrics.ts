/**
 * A worker's metrics over HTTP, for Prometheus to scrape: longhaul's own and, on the same page, those of the Temporal SDK
 * (`temporal_…`). The SDK's come from its native part, which serves them itself: on a port that only this process asks.
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@temporalio/client';
import { Runtime } from '@temporalio/worker';
import { TASK_QUEUE } from '../activities/contract/index.js';
import { type Meters, openMeters } from '../activities/telemetry/index.js';
import { MetricsPortError } from './metrics-port-error.js';

export interface MetricsSettings {
  port: number;
  /** The address to listen on. */
  host: string;
}

export interface MetricsServer {
  meters: Meters;
  /** Where it listens. */
  url: string;
  close(): Promise<void>;
}

/** A worker that has that many ports taken from under it is on a machine where something is wrong. */
const TRIES = 5;
/** A scrape waits for the SDK's part no longer: the worker's own comes without. */
const SDK_LIMIT_MS = 2000;

/**
 * To be called before anything else of the SDK: its native part is told once where its metrics go.
 * @throws MetricsPortError
 */
export async function serveMetrics(kind: 'cpu' | 'gpu', { port, host }: MetricsSettings): Promise<MetricsServer> {
  const meters = await openMeters();
  meters.record('longhaul_worker_info', { kind }, 1);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/metrics')
      return answer(response, 404, 'text/plain; charset=utf-8', 'Metrics are at /metrics.\n');
    void page(meters, sdk).then(
      text => answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text),
      (error: Error) => answer(response, 500, 'text/plain; charset=utf-8', `${error.message}\n`),
    );
  });
  await listen(server, port, host);
  const sdk = await installSdkMetrics();
  server.unref(); // a worker that has failed is not kept alive by being watched
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { meters, url: urlOf(server), close };
}

/** Asked of the server at every scrape, by the workers that have the workflows. */
export function countRuns(meters: Meters, client: Client): void {
  const query = `WorkflowType = "curriculum" AND ExecutionStatus = "Running" AND TaskQueue = "${TASK_QUEUE}"`;
  meters.ask('longhaul_open_runs', () =>
    client.withDeadline(Date.now() + SDK_LIMIT_MS, async () => (await client.workflow.count(query)).count),
  );
}

async function page(meters: Meters, sdk: string): Promise<string> {
  const own = await meters.text();
  const theirs = await fetch(sdk, { signal: AbortSignal.timeout(SDK_LIMIT_MS) })
    .then(response => response.text())
    .catch(() => '');
  return `${own.trimEnd()}\n${theirs}`;
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw new MetricsPortError(host, port, error);
  });
}

/** Names are the SDK's usual ones, which Temporal's own dashboards ask for. @returns where they are served */
async function installSdkMetrics(): Promise<string> {
  for (let tries = 1; ; tries++) {
    const bindAddress = `127.0.0.1:${await freePort()}`;
    try {
      Runtime.install({ telemetryOptions: { metrics: { prometheus: { bindAddress } } } });
      return `http://${bindAddress}/metrics`;
    } catch (error) {
      // Between its being found free and its being taken another may have been faster.
      if (tries === TRIES || !(error instanceof Error && /in use/.test(error.message))) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`;
}
