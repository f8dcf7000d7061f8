/** The worker's side of the engine: starts the child process, speaks to it, survives its death and starts another. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import {
  type CallOptions,
  type Engine,
  EngineLostError,
  type EngineOperations,
  EngineRequestError,
  type Operation,
} from '../protocol/index.js';
import { withoutSecrets } from '../secrets.js';
import { inMiB, MemoryBudget } from './memory-budget.js';
import type { FromEngine, ToEngine } from './messages.js';
import { type EngineSettings, engineSettings, settingsEnvironment } from './settings.js';

/** Settings left out are the environment's, else the machine's. */
export interface EngineOptions extends Partial<EngineSettings> {
  /** The child's program, where it does not lie beside this file. */
  program?: string;
  /** Milliseconds an engine may take to answer a cancellation before it is killed. */
  cancelGrace?: number;
  /** Called for each process that is started. */
  onStart?: (pid: number | undefined) => void;
}

const WATCHDOG_LOOKS = 10;

interface Call {
  operation: Operation;
  resolve(result: never): void;
  reject(error: Error): void;
  onProgress: CallOptions['onProgress'];
}

/**
 * An engine in a child process, started at the first call and again after it was lost.
 * @throws EngineRequestError where the environment holds a setting that is none
 */
export function createEngine(options: EngineOptions = {}): Engine {
  const { silence } = engineSettings();
  return new EngineHost(options, (options.silence ?? silence) * 1000);
}

class EngineHost implements Engine {
  private child: ChildProcess | null = null;
  private readonly calls = new Map<number, Call>();
  private nextId = 1;
  private closing = false;
  private readonly budget: MemoryBudget;
  /** Runs while calls are under way; each sign of life starts it anew. */
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: EngineOptions,
    private readonly silenceMs: number,
  ) {
    this.budget = new MemoryBudget(options.memory ?? engineSettings().memory);
  }

  call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    { signal, onProgress }: CallOptions = {},
  ): Promise<EngineOperations[O][1]> {
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    const child = this.start();
    const id = this.nextId++;
    return new Promise<EngineOperations[O][1]>((resolve, reject) => {
      const stop = (): void => this.cancel(id, child);
      const settle =
        <A>(then: (value: A) => void) =>
        (value: A): void => {
          signal?.removeEventListener('abort', stop);
          then(value);
        };
      const failed = (error: Error): void => reject(signal?.aborted ? asError(signal.reason) : error);
      this.calls.set(id, { operation, resolve: settle(resolve), reject: settle(failed), onProgress });
      signal?.addEventListener('abort', stop, { once: true });
      this.send(child, { id, kind: 'call', operation, request });
      this.watch(child);
    });
  }

  async close(): Promise<void> {
    const { child } = this;
    if (!child) return;
    this.closing = true;
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    this.closing = false;
  }

  private start(): ChildProcess {
    if (this.child) return this.child;
    const program = this.options.program ?? join(__dirname, 'child.js');
    const child = fork(program, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...withoutSecrets(process.env), ...settingsEnvironment({ ...this.options, memory: this.budget.current }) },
      // A debugger's flags are the parent's alone: its port is taken.
      execArgv: [],
    });
    child.on('message', (message: FromEngine) => {
      this.receive(message);
      this.watch(child);
    });
    child.on('error', error => this.lost(child, error.message));
    child.on('exit', (code, signal) => this.exited(child, code, signal));
    this.child = child;
    this.options.onStart?.(child.pid);
    return child;
  }

  private receive(message: FromEngine): void {
    const call = this.calls.get(message.id);
    if (!call) return;
    if (message.kind === 'progress') {
      call.onProgress?.(message.progress);
      return;
    }
    this.calls.delete(message.id);
    this.budget.finished(call.operation);
    if (message.kind === 'result') call.resolve(message.result as never);
    else if (message.code === 'out-of-memory') this.outOfMemory(call, message.message);
    else call.reject(new EngineRequestError(message.message, message.code ?? 'internal'));
  }

  /** The next engine has a smaller budget; one whose allocation failed is not to be trusted with another. */
  private outOfMemory({ operation, reject }: Call, message: string): void {
    const { current } = this.budget;
    const before = `the engine ran out of memory during "${operation}" with ${inMiB(current)} for activations (${message})`;
    if (this.budget.ranOut()) reject(new EngineLostError(`${before}; the next one has ${inMiB(this.budget.current)}`));
    else {
      const advice = 'less would not help: the model with its optimiser, or one long prompt, needs a machine with more';
      reject(new EngineRequestError(`${before}; ${advice}`, 'out-of-memory'));
    }
    const { child } = this;
    if (!child) return;
    this.lost(child, 'was ended for want of memory');
    child.kill('SIGKILL');
  }

  private exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    const [call] = this.calls.values();
    const less = this.child === child && signal && !this.closing && call && this.budget.died(call.operation);
    const advice = less
      ? `, perhaps for want of memory: the next one has ${inMiB(this.budget.current)} for activations`
      : '';
    this.lost(child, signal ? `was ended by ${signal}${advice}` : `ended with code ${code}`);
  }

  /** An engine that does nothing (a deadlock, a stopped process, a device that hangs) is ended like one that crashed. */
  private watch(child: ChildProcess): void {
    clearInterval(this.watchdog);
    if (this.calls.size === 0 || this.child !== child) return;
    let quiet = 0;
    // In several looks: a worker that stood still itself has missed all of its engine's messages, but only one look.
    this.watchdog = setInterval(() => {
      if (++quiet < WATCHDOG_LOOKS) return;
      this.lost(child, `showed no progress for ${this.silenceMs / 1000} s and was ended`);
      child.kill('SIGKILL');
    }, this.silenceMs / WATCHDOG_LOOKS);
    this.watchdog.unref();
  }

  private cancel(id: number, child: ChildProcess): void {
    this.send(child, { id, kind: 'cancel' });
    const timer = setTimeout(() => {
      if (this.calls.has(id)) child.kill('SIGKILL');
    }, this.options.cancelGrace ?? 10_000);
    timer.unref();
  }

  /** Every call under way fails; the next one starts another child. */
  private lost(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = null;
    clearInterval(this.watchdog);
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const { operation, reject } of calls) {
      const why = this.closing ? 'was closed' : how;
      reject(
        new EngineLostError(
          `the engine process (pid ${child.pid}) ${why} during "${operation}"; the policy in its memory is gone`,
        ),
      );
    }
  }

  /** A child that is already gone is reported by its exit, not here. */
  private send(child: ChildProcess, message: ToEngine): void {
    child.send(message, () => {});
  }
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
