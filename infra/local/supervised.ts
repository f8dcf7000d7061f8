/**
 * A child process that is kept running: started again with growing pauses when it ends, its output in a log file. Whatever ends
 * this process, it leaves none of them behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identify, type ProcessIdentity } from '../../activities/store/index.js';
import { atExit } from './at-exit.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A process that ran so long has recovered: the next pause is short again. */
const RECOVERED_MS = 60_000;

export interface SupervisedOptions {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** An IPC channel, whose end tells the child that its parent is gone. */
  channel: boolean;
  /** Told in one line whenever the process ends unasked. */
  onEnd: (message: string) => void;
  /** Called after each start. */
  onStart: () => void;
  /** What the pauses between starts grow to; half a minute unless told. */
  longestPauseMs?: number;
}

export class Supervised {
  #child: ChildProcess | null = null;
  #pause = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  #forget: (() => void) | null = null;

  constructor(readonly options: SupervisedOptions) {}

  /** The process that runs now, if any. */
  get identity(): ProcessIdentity | null {
    return this.#child?.pid === undefined ? null : identify(this.#child.pid);
  }

  start(): void {
    const { command, args, env, logFile, channel } = this.options;
    const log = openSync(logFile, 'a');
    const started = performance.now();
    // A process group of its own: the terminal's Ctrl-C reaches the parent alone, which ends the children in order.
    const child = spawn(command, args, {
      env,
      detached: true,
      stdio: ['ignore', log, log, ...(channel ? ['ipc' as const] : [])],
    });
    closeSync(log);
    this.#child = child;
    this.#forget ??= atExit(() => this.kill());
    child.once('error', error => this.#ended(started, error.message));
    child.once('exit', (code, signal) => this.#ended(started, signal ? `signal ${signal}` : `exit code ${code}`));
    this.options.onStart();
  }

  #ended(started: number, how: string): void {
    if (!this.#child) return;
    this.#child = null;
    if (this.#stopping) {
      this.#forget?.();
      return;
    }
    if (performance.now() - started > RECOVERED_MS) this.#pause = FIRST_PAUSE_MS;
    const { name, logFile, onEnd } = this.options;
    onEnd(`the ${name} ended (${how}); started again in ${this.#pause / 1000} s. Its log: ${logFile}`);
    this.#timer = setTimeout(() => this.start(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, this.options.longestPauseMs ?? LONGEST_PAUSE_MS);
  }

  /** Asks the process to end, waits, and kills it when it has not ended within its grace time. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#child;
    if (!child) {
      this.#forget?.();
      return;
    }
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), graceMs);
    await ended;
    clearTimeout(timer);
  }

  /** Ends the process and whatever it has started, at once. */
  kill(): void {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child?.kill('SIGKILL');
    }
  }
}
