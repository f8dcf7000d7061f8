/** Workers as users start them: processes of their own, with the real engine, and all that they print. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FolderStore } from '../../activities/store/index.js';
import { LONGHAUL_COMMAND } from '../../infra/checkout.js';

export class RealWorkers {
  /** Of all of them, engines included. */
  output = '';
  private readonly running = new Set<ChildProcess>();

  /**
   * @param folder for what they keep, a store among it
   * @param flags of `longhaul worker`, beside the kind
   */
  constructor(
    private readonly folder: string,
    private readonly flags: string[],
    private readonly environment: NodeJS.ProcessEnv = process.env,
  ) {}

  /** @returns once it polls */
  async start(kind: 'cpu' | 'gpu'): Promise<ChildProcess> {
    await new FolderStore(join(this.folder, 'store')).create();
    const args = [LONGHAUL_COMMAND, 'worker', kind, '--state', this.folder, ...this.flags];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: this.environment });
    this.running.add(worker);
    worker.once('exit', () => this.running.delete(worker));
    const ready = new Promise<void>((resolve, reject) => {
      worker.once('exit', code => reject(new Error(`the ${kind} worker ended with ${code}: ${this.output}`)));
      for (const stream of [worker.stdout!, worker.stderr!])
        stream.on('data', chunk => {
          this.output += chunk;
          if (String(chunk).includes(`${kind} worker ready`)) resolve();
        });
    });
    await ready;
    return worker;
  }

  /** Orderly, so that everything is printed. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.running].map(async worker => {
        const ended = once(worker, 'close');
        worker.kill('SIGTERM');
        await ended;
      }),
    );
  }
}
