/** A real training server: SkyRL's, with its JAX backend on the processor. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { atExit } from '../../local/at-exit.js';
import { claimPort } from '../../local/ports.js';
import { SERVER_FILES, type ServerEnvironment } from './environment.js';

/**
 * One slot is the base's own. A model's optimiser is compiled for the whole of them, rows are padded to the sampler's, and
 * each number of rows of a training pass is compiled for itself.
 */
const BACKEND = {
  max_lora_adapters: 12,
  max_lora_rank: 16,
  train_micro_batch_size: 4,
  sample_max_num_sequences: 16,
};
/** A worker that was killed is heard no more: its models are let go then, or there would soon be no place for others. */
const SESSION_SECONDS = 120;
const PATIENCE_MS = 300_000;
/** Below the ports that the system gives away by itself: a server that was killed finds its own again. */
const FIRST_PORT = 19_000;
const LAST_LINES = 15;

export interface SkyRlOptions {
  environment: ServerEnvironment;
  /** Database, checkpoints and log; a server started on them again knows what it knew. */
  folder: string;
  /** The model that it serves: a Hugging Face folder, and its name on the wire. */
  base: string;
}

/** The API and its engine, two processes in a group of their own, which ends with this one. */
export class SkyRl {
  #child: ChildProcess | null = null;
  readonly #forget: () => void;

  private constructor(
    readonly options: SkyRlOptions,
    readonly port: number,
  ) {
    this.#forget = atExit(() => this.#signal());
  }

  static async start(options: SkyRlOptions): Promise<SkyRl> {
    await mkdir(options.folder, { recursive: true });
    const claim = await claimPort(undefined, FIRST_PORT + (process.pid % 900));
    const server = new SkyRl(options, claim.port);
    try {
      await server.start();
    } finally {
      claim.release();
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Until it answers; its engine comes some seconds later, and calls wait for it. @throws Error with its last words */
  async start(): Promise<void> {
    const { environment, folder, base } = this.options;
    const logFile = join(folder, 'server.log');
    const log = openSync(logFile, 'a');
    this.#child = spawn(
      environment.python,
      [
        join(SERVER_FILES, 'launch.py'),
        ...['--backend', 'jax', '--base-model', base, '--backend-config', JSON.stringify(BACKEND)],
        ...['--database-url', `sqlite:///${join(folder, 'tinker.db')}`, '--checkpoints-base', join(folder, 'saved')],
        ...['--host', '127.0.0.1', '--port', String(this.port), '--session-timeout-sec', String(SESSION_SECONDS)],
      ],
      { cwd: folder, detached: true, stdio: ['ignore', log, log], env: serverVariables(environment) },
    );
    closeSync(log);
    const failed = once(this.#child, 'error').then(([error]) => {
      throw error;
    });
    await Promise.race([failed, this.#answers(logFile)]);
  }

  /** Kills the API and the engine at once, and waits until they are gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    this.#signal();
    await gone;
    this.#child = null;
  }

  /** Kills the engine alone; the API ends by itself at that. */
  async killEngine(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(child.pid)]).catch(() => ({ stdout: '' }));
    const engines = stdout.trim().split('\n').filter(Boolean);
    if (engines.length === 0) return this.kill();
    const gone = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit');
    for (const pid of engines) process.kill(Number(pid), 'SIGKILL');
    await gone;
    await this.kill();
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#forget();
  }

  #signal(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }

  async #answers(logFile: string): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const answer = await fetch(`${this.url}/api/v1/healthz`).catch(() => null);
      if (answer?.ok) return;
      if (this.#child?.exitCode !== null) break;
      await sleep(200);
    }
    await this.kill();
    const said = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-LAST_LINES);
    throw new Error([`the training server did not start. Its last words (${logFile}):`, ...said].join('\n'));
  }
}

function serverVariables({ compiled }: ServerEnvironment): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PYTHONPATH: join(SERVER_FILES, 'stand-ins'),
    PYTHONDONTWRITEBYTECODE: '1',
    JAX_PLATFORMS: 'cpu',
    HF_HUB_OFFLINE: '1',
    // The model is small: compiling it well takes five times as long and wins nothing.
    XLA_FLAGS: '--xla_backend_optimization_level=0',
    JAX_COMPILATION_CACHE_DIR: compiled,
    JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS: '0',
    JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES: '0',
  };
}
