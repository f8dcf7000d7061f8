/**
 * The local stack: Temporal's development server with its data in a file, a CPU worker and a GPU worker, each a process
 * of its own that is started again when it ends, and where wanted longhaul's own page. Everything lies in one state folder:
 *
 *   temporal.db     the server's data      stack.json      who runs the stack (see stack-file.ts)
 *   store/          artifacts              temporal.toml   a profile that reaches the server
 *   logs/           a log a process          in-hand/        what the workers have in hand
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { isAlive, openStore } from '../../activities/store/index.js';
import { DEPLOYMENT_VARIABLES } from '../../workers/deployment.js';
import type { TelemetrySettings } from '../../workers/telemetry.js';
import { LONGHAUL_COMMAND } from '../checkout.js';
import { UserError } from '../user-error.js';
import { claimPort } from './ports.js';
import { type StackAddresses, StackFile, type StackRecord } from './stack-file.js';
import { Supervised } from './supervised.js';
import { findTemporal } from './temporal-binary.js';

const USUAL_PORT = 7233;
const USUAL_UI_PORT = 8233;
/** Where `longhaul ui` listens too unless told. */
const USUAL_PAGE_PORT = 8265;
const START_LIMIT_MS = 60_000;
const PAGE_LIMIT_MS = 15_000;
const SERVER_GRACE_MS = 10_000;
/** A worker finishes or hands back its step within its own grace time; this is the patience with one that does not. */
const WORKER_GRACE_MS = 60_000;

export interface StackOptions {
  /** The state folder. */
  state: string;
  /** The store's root. */
  store: string;
  port?: number | undefined;
  uiPort?: number | undefined;
  /** Whether to serve longhaul's own page, and on which port. */
  page?: { port?: number | undefined };
  /** Which workers to run; both unless told. */
  workers?: WorkerKind[];
  /** What the workers show of themselves; metrics of each at a port of its own, see `metricsPorts`. */
  telemetry?: TelemetrySettings;
  /** Told one line a step, and whenever a process ends unasked. */
  log: (line: string) => void;
}

export type WorkerKind = 'cpu' | 'gpu';

const KINDS: WorkerKind[] = ['cpu', 'gpu'];

export interface Stack extends StackAddresses {
  /** False when another process runs it: then `stop` leaves it alone. */
  owned: boolean;
  /** False once the process that runs the stack is gone. */
  alive(): boolean;
  stop(): Promise<void>;
  /** Ends every process at once. */
  kill(): void;
}

export const logsOf = (state: string) => join(state, 'logs');
/** Where this machine's workers write down what they have in hand. */
export const inHandOf = (state: string) => join(state, 'in-hand');
/** A Temporal CLI configuration whose default profile is the stack's server: for TEMPORAL_CONFIG_FILE. */
export const profileOf = (state: string) => join(state, 'temporal.toml');
const stackFileOf = (state: string) => join(state, 'stack.json');

/** Starts the stack, or joins the one that another process runs on the same state folder. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const taken = await StackFile.take(stackFileOf(options.state));
  if (!(taken instanceof StackFile)) return joinStack(options, taken);
  try {
    return await ownStack(options, taken);
  } catch (error) {
    taken.release();
    throw error;
  }
}

/** The addresses of the stack that runs on this state folder; null when none does. */
export function runningStack(state: string): StackAddresses | null {
  const record = StackFile.read(stackFileOf(state));
  return record && isAlive(record.owner) ? record.addresses : null;
}

async function joinStack({ state, telemetry, log }: StackOptions, first: StackRecord): Promise<Stack> {
  log(`joining the stack that process ${first.owner.pid} runs`);
  if (telemetry?.metrics)
    log('Its workers run already: --metrics-port is left out. Stop it first to have them show metrics.');
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    const record = StackFile.read(stackFileOf(state));
    if (record?.addresses && isAlive(record.owner)) {
      const { owner, addresses } = record;
      return { ...addresses, owned: false, alive: () => isAlive(owner), stop: async () => {}, kill: () => {} };
    }
    if (!isAlive(first.owner) || performance.now() > limit) {
      throw new UserError(
        `The stack of process ${first.owner.pid} did not come up. Try again; its logs: ${logsOf(state)}`,
      );
    }
    await sleep(200);
  }
}

async function ownStack(options: StackOptions, file: StackFile): Promise<Stack> {
  const { state, store, telemetry = {}, log } = options;
  await mkdir(logsOf(state), { recursive: true });
  await (await openStore(store)).create();
  const temporal = await findTemporal({ log });
  const claims = {
    server: await claimPort(options.port, USUAL_PORT),
    ui: await claimPort(options.uiPort, USUAL_UI_PORT),
    page: options.page ? await claimPort(options.page.port, USUAL_PAGE_PORT) : null,
  };
  // A worker that found its port taken would be started again and again.
  for (const asked of metricsPorts(telemetry)) (await claimPort(asked, asked)).release();
  const [port, uiPort] = [claims.server.port, claims.ui.port];
  const addresses: StackAddresses = {
    address: `127.0.0.1:${port}`,
    ui: `http://127.0.0.1:${uiPort}`,
    ...(claims.page && { page: `http://127.0.0.1:${claims.page.port}` }),
  };
  await writeFile(profileOf(state), `[profile.default]\naddress = "${addresses.address}"\nnamespace = "default"\n`);

  const children: Supervised[] = [];
  const supervise = (name: string, command: string, args: string[], channel: boolean) => {
    const child = new Supervised({
      name,
      command,
      args,
      channel,
      env: stackEnvironment(state, store),
      logFile: join(logsOf(state), `${name.replaceAll(' ', '-')}.log`),
      onEnd: log,
      onStart: () => file.update({ children: children.flatMap(one => one.identity ?? []) }),
    });
    children.push(child);
    child.start();
    return child;
  };
  const stop = async () => {
    const [server, ...workers] = children;
    await Promise.all(workers.map(worker => worker.stop(WORKER_GRACE_MS)));
    await server?.stop(SERVER_GRACE_MS);
    file.release();
  };
  const kill = () => {
    for (const child of children) child.kill();
    file.release();
  };

  try {
    supervise('server', temporal, serverArguments(state, port, uiPort), false);
    await answers(addresses.address, join(logsOf(state), 'server.log'));
    for (const kind of options.workers ?? KINDS) {
      const args = [LONGHAUL_COMMAND, 'worker', kind, ...telemetryArguments(kind, telemetry)];
      supervise(`${kind} worker`, process.execPath, args, true);
    }
    if (claims.page) {
      supervise('page', process.execPath, [LONGHAUL_COMMAND, 'ui', '--port', String(claims.page.port)], false);
      if (!(await serves(addresses.page!)))
        log(`the page is not served yet; its log: ${join(logsOf(state), 'page.log')}`);
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    claims.server.release();
    claims.ui.release();
    claims.page?.release();
  }
  file.update({ addresses });
  return { ...addresses, owned: true, alive: () => true, stop, kill };
}

/** Where each worker serves its metrics: the CPU worker at the port that was asked for, the GPU worker at the next. */
function metricsPorts({ metrics }: TelemetrySettings): number[] {
  return metrics ? KINDS.map((_, k) => metrics.port + k) : [];
}

export function metricsUrls(telemetry: TelemetrySettings): string[] {
  return metricsPorts(telemetry).map(port => `http://${telemetry.metrics!.host}:${port}/metrics`);
}

function telemetryArguments(kind: WorkerKind, telemetry: TelemetrySettings): string[] {
  const { metrics, otlp } = telemetry;
  const port = metricsPorts(telemetry)[KINDS.indexOf(kind)];
  return [
    ...(metrics ? ['--metrics-port', String(port), '--metrics-host', metrics.host] : []),
    ...(otlp ? ['--otlp', otlp] : []),
  ];
}

/** Dynamic settings, `key=value`, of a server that a single machine has to itself. */
export const SERVER_SETTINGS = [
  // Out of the box the server gives a workflow ten activities a second, whatever the machine.
  'history.transferProcessorMaxPollRPS=2000',
  // A server of one process need not round what is to be tried again up to a second.
  'history.timerProcessorMaxTimeShift="10ms"',
];

/** A development server with its data in the state folder's temporal.db. */
export function serverArguments(state: string, port: number, uiPort: number, ip = '127.0.0.1'): string[] {
  return [
    ...['server', 'start-dev', '--db-filename', join(state, 'temporal.db')],
    ...['--ip', ip, '--port', String(port), '--ui-port', String(uiPort)],
    ...SERVER_SETTINGS.flatMap(setting => ['--dynamic-config-value', setting]),
    // A transaction is as safe as without, synced once instead of three times and with less work.
    ...['--sqlite-pragma', 'journal_mode=WAL'],
    ...['--log-level', 'warn'],
  ];
}

/**
 * The person's own Temporal settings (a cloud's address, keys) must not reach the local stack's processes, nor the build
 * of a deployment there: here nobody would make it current.
 */
export function stackEnvironment(state: string, store: string): NodeJS.ProcessEnv {
  const elsewhere = (name: string) =>
    name.startsWith('TEMPORAL_') || Object.values<string>(DEPLOYMENT_VARIABLES).includes(name);
  const own = Object.entries(process.env).filter(([name]) => !elsewhere(name));
  return {
    ...Object.fromEntries(own),
    TEMPORAL_CONFIG_FILE: profileOf(state),
    LONGHAUL_STATE: state,
    LONGHAUL_STORE: store,
  };
}

/** Waits until the page is served, but not for long: whoever is told its address opens it at once. */
async function serves(page: string): Promise<boolean> {
  const limit = performance.now() + PAGE_LIMIT_MS;
  while (performance.now() < limit) {
    const isThere = await fetch(page).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return true;
    await sleep(100);
  }
  return false;
}

/** Waits until the server answers for its namespace. */
export async function answers(address: string, logFile: string): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2000 });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (performance.now() > limit) {
        const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
        throw new UserError(
          `The Temporal server does not answer at ${address} (${error}). The end of ${logFile}:\n${tail}`,
        );
      }
      await sleep(200);
    }
  }
}
