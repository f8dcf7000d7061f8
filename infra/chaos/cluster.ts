/**
 * What the faults strike: Temporal's development server with its data in a file, two workers of each kind as processes of
 * their own, and between each of them and the server a proxy. Processes that end are started again, as by a process
 * manager.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { notesIn } from '../../workers/in-hand.js';
import { CHECKOUT, LONGHAUL_COMMAND } from '../checkout.js';
import { claimPort } from '../local/ports.js';
import { answers, inHandOf, logsOf, serverArguments } from '../local/stack.js';
import { Supervised } from '../local/supervised.js';
import { findTemporal } from '../local/temporal-binary.js';
import { FaultyLink } from './faulty-link.js';
import type { ChaosJudge } from './judge.js';
import type { ChaosStore } from './stores/chaos-store.js';
import type { StruckService } from './struck-service.js';

const WORKERS = ['cpu-1', 'cpu-2', 'gpu-1', 'gpu-2'];
const RESTART_MS = 500;
const WORKER_GRACE_MS = 60_000;
const SERVER_GRACE_MS = 10_000;
/** Below the ports that the system gives away by itself, so that a server that is down for a moment finds its own again. */
const FIRST_PORT = 20_000;

export interface ClusterOptions {
  /** Database and logs. */
  state: string;
  store: ChaosStore;
  /** More of the workers' environment. */
  env: NodeJS.ProcessEnv;
  /** Whom the run asks; none where it asks nobody. */
  judge?: ChaosJudge | undefined;
  /** That the engines' work is done by, where it is one; how the workers reach it is in `env`. */
  service?: StruckService;
  /** Told whenever a process ends unasked. */
  log: (line: string) => void;
}

export interface WorkerProcess {
  /** `cpu-1`, …, `gpu-2`. */
  name: string;
  process: Supervised;
  link: FaultyLink;
}

/** An activity that a worker has in hand. */
export interface Busy {
  worker: WorkerProcess;
  activity: string;
}

export class Cluster {
  private constructor(
    readonly options: ClusterOptions,
    readonly client: Client,
    readonly server: Supervised,
    readonly workers: readonly WorkerProcess[],
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { state, store, log } = options;
    await mkdir(logsOf(state), { recursive: true });
    await store.create();
    const temporal = await findTemporal({ log });
    const usual = FIRST_PORT + 2 * (process.pid % 5000);
    const [claim, ui] = [await claimPort(undefined, usual), await claimPort(undefined, usual + 1)];
    const address = `127.0.0.1:${claim.port}`;
    const supervise = (name: string, command: string, args: string[], env: NodeJS.ProcessEnv): Supervised => {
      const logFile = join(logsOf(state), `${name}.log`);
      const channel = command === process.execPath;
      const onStart = () => {};
      const options = { name, command, args, env, logFile, channel, onEnd: log, onStart, longestPauseMs: RESTART_MS };
      const child = new Supervised(options);
      child.start();
      return child;
    };
    const server = supervise('server', temporal, serverArguments(state, claim.port, ui.port), process.env);
    try {
      await answers(address, join(logsOf(state), 'server.log'));
    } finally {
      claim.release();
      ui.release();
    }
    const workers: WorkerProcess[] = [];
    for (const name of WORKERS) {
      const link = await FaultyLink.listen({ host: '127.0.0.1', port: claim.port });
      const flags = ['--address', link.address, '--namespace', 'default', '--store', store.address, '--state', state];
      const args = [LONGHAUL_COMMAND, 'worker', name.slice(0, 3), ...flags];
      workers.push({ name, link, process: supervise(name, process.execPath, args, workerEnvironment(options, name)) });
    }
    const connection = Connection.lazy({ address });
    return new Cluster(options, new Client({ connection }), server, workers);
  }

  async stop(): Promise<void> {
    for (const { link } of this.workers) link.mend();
    await Promise.all(this.workers.map(worker => worker.process.stop(WORKER_GRACE_MS)));
    await this.client.connection.close();
    await this.server.stop(SERVER_GRACE_MS);
    for (const { link } of this.workers) link.close();
  }

  /** Ends everything at once. */
  kill(): void {
    for (const { process, link } of this.workers) {
      process.kill();
      link.close();
    }
    this.server.kill();
  }

  get store(): ChaosStore {
    return this.options.store;
  }

  get judge(): ChaosJudge | undefined {
    return this.options.judge;
  }

  get service(): StruckService | undefined {
    return this.options.service;
  }

  /** What tells a worker by how many seconds its clock is off. */
  clockOf(worker: string): string {
    return clockFile(this.options, worker);
  }

  ofKind(kind: 'cpu' | 'gpu'): WorkerProcess[] {
    return this.workers.filter(({ name }) => name.startsWith(kind));
  }

  /** What the workers have in hand now, by their own notes. */
  async inHand(): Promise<Busy[]> {
    const notes = await notesIn(inHandOf(this.options.state));
    return notes.flatMap(({ owner, activity }) => {
      const worker = this.workers.find(({ process }) => pidOf(process) === owner.pid);
      return worker ? [{ worker, activity }] : [];
    });
  }

  /** The worker and its engine, those of them that run. */
  async processesOf(worker: WorkerProcess): Promise<number[]> {
    const pids = [pidOf(worker.process), await this.engineOf(worker)];
    return pids.filter(pid => pid !== null);
  }

  /** The engine is the GPU worker's only child; null while it has none. */
  async engineOf({ process }: WorkerProcess): Promise<number | null> {
    const pid = pidOf(process);
    if (pid === null) return null;
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout.trim() === '' ? null : Number(stdout.trim().split('\n')[0]);
  }
}

export const pidOf = (process: Supervised): number | null => process.identity?.pid ?? null;

const clockFile = ({ state }: Pick<ClusterOptions, 'state'>, worker: string) => join(state, `${worker}.clock`);
const CLOCK = join(CHECKOUT, 'dist', 'infra', 'chaos', 'clock.js');

function workerEnvironment(options: ClusterOptions, worker: string): NodeJS.ProcessEnv {
  const { env, store } = options;
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  const clock = { NODE_OPTIONS: `--require ${CLOCK}`, LONGHAUL_CHAOS_CLOCK: clockFile(options, worker) };
  return { ...Object.fromEntries(own), ...clock, ...store.env, ...env };
}
