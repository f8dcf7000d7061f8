/**
 * Temporal's development server for a benchmark, its data in a file as the local stack has it, and programs of the
 * benchmark's own on it: workers in processes of their own, each of which hands over what it saw when it is stopped.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { atExit } from '../local/at-exit.js';
import { claimPort } from '../local/ports.js';
import { answers, logsOf, serverArguments } from '../local/stack.js';
import { Supervised } from '../local/supervised.js';
import { findTemporal } from '../local/temporal-binary.js';

const USUAL_PORT = 19_233;
const SERVER_GRACE_MS = 10_000;

export interface DevServer {
  address: string;
  client: Client;
  pid: number;
  stop(): Promise<void>;
}

/** @param state the folder for its database and log */
export async function startDevServer(state: string, log: (line: string) => void): Promise<DevServer> {
  await mkdir(logsOf(state), { recursive: true });
  const temporal = await findTemporal({ log });
  const [claim, ui] = [await claimPort(undefined, USUAL_PORT), await claimPort(undefined, USUAL_PORT + 1)];
  const logFile = join(logsOf(state), 'server.log');
  const server = new Supervised({
    name: 'server',
    command: temporal,
    args: serverArguments(state, claim.port, ui.port),
    env: process.env,
    logFile,
    channel: false,
    onEnd: log,
    onStart: () => {},
  });
  server.start();
  const address = `127.0.0.1:${claim.port}`;
  try {
    await answers(address, logFile);
  } finally {
    claim.release();
    ui.release();
  }
  const connection = await Connection.connect({ address });
  return {
    address,
    client: new Client({ connection }),
    pid: server.identity!.pid,
    stop: async () => {
      await connection.close();
      await server.stop(SERVER_GRACE_MS);
    },
  };
}

/** What a program tells the benchmark. */
export type FromProgram<R> = { kind: 'ready'; pids: number[] } | { kind: 'report'; report: R };

/** A worker process of a benchmark. */
export class Program<R> {
  private constructor(
    private readonly child: ChildProcess,
    /** Its own process, and those that it started. */
    readonly pids: readonly number[],
  ) {}

  /**
   * Starts a program of this project, compiled, and waits until it says that it is ready (see `serveProgram`).
   * @throws Error when it ends instead
   */
  static async start<R>(file: string, args: string[]): Promise<Program<R>> {
    const child = fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
    child.once(
      'exit',
      atExit(() => child.kill('SIGKILL')),
    );
    const message = await messageOf<FromProgram<R>>(child, file);
    if (message.kind !== 'ready') throw new Error(`${file}: reported before it was ready`);
    return new Program<R>(child, [child.pid!, ...message.pids]);
  }

  /** Has it finish. @returns what it saw */
  async stop(): Promise<R> {
    const reported = messageOf<FromProgram<R>>(this.child, 'a worker');
    this.child.send('stop');
    const message = await reported;
    if (message.kind !== 'report') throw new Error('a worker said twice that it was ready');
    const ended = this.child.exitCode === null ? once(this.child, 'exit') : null;
    this.child.disconnect();
    await ended;
    return message.report;
  }
}

async function messageOf<M>(child: ChildProcess, name: string): Promise<M> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const ended = once(child, 'exit', { signal }).then(([code, by]) => {
    throw new Error(`${name} ended (${by ?? `code ${code}`}) before the benchmark was done`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message as M;
  } finally {
    ended.catch(() => {}); // aborted
    waiting.abort();
  }
}

/**
 * The program's side: runs it until the benchmark stops it, or is gone.
 * @param run calls `ready` when it is, ends after `stop`, and gives its report
 */
export function serveProgram<R>(run: (stop: AbortSignal, ready: (pids?: number[]) => void) => Promise<R>): void {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const stop = new AbortController();
  const tell = (message: FromProgram<R>) => process.send!(message);
  process.once('message', () => stop.abort());
  process.once('disconnect', () => stop.abort());
  run(stop.signal, (pids = []) => tell({ kind: 'ready', pids }))
    .then(report => process.connected && tell({ kind: 'report', report }))
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
}
