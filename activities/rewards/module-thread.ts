/**
 * A user's module in a thread of its own: one call at a time, each within its time, and nothing that it does in an endless
 * loop or to globals reaches the worker.
 */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Plain JavaScript, since a thread begins outside of whatever compiles or transforms the rest. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const loaded = import(workerData).then(module =>
  [module.default, module.reward, module.default?.default, module.default?.reward].find(f => typeof f === 'function'));
loaded.catch(() => {});
parentPort.on('message', async input => {
  try {
    const reward = await loaded;
    if (!reward) throw new Error('it exports no function, neither as default nor as "reward"');
    parentPort.postMessage({ value: await reward(input) });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort.postMessage({ error: message, unscored: Boolean(error?.unscored), said: error?.message ?? message });
  }
});
`;

/** What a call came to: a value; an error; or nothing within the time. */
export type Called =
  | { value: unknown }
  /** `unscored`: the module says that this is no fault of its own. */
  | { error: string; unscored: boolean; said: string }
  | { timedOut: true };

export class ModuleThread {
  private readonly worker: Worker;
  /** Takes what the call under way comes to. */
  private answer: ((called: Called) => void) | null = null;
  private ended: string | null = null;

  constructor(file: string) {
    this.worker = new Worker(THREAD, { eval: true, workerData: pathToFileURL(file).href });
    this.worker.unref();
    // Heard also between calls: what a module left behind may fail later.
    const failed = (error: string) => this.answer?.({ error, unscored: false, said: error });
    const over = (why: string) => {
      this.ended ??= why;
      failed(this.ended);
    };
    this.worker.on('message', (called: Called) => this.answer?.(called));
    this.worker.on('messageerror', error => failed(error.message));
    this.worker.on('error', error => over(error.stack ?? error.message));
    this.worker.on('exit', code => over(`its thread ended, as by process.exit(${code})`));
  }

  /** One call at a time. Throws the signal's reason when aborted. After a time-out or an abort the thread has ended. */
  call(input: unknown, timeoutSeconds: number, signal: AbortSignal): Promise<Called> {
    if (this.ended !== null) return Promise.resolve({ error: this.ended, unscored: false, said: this.ended });
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.answer = null;
        end();
      };
      const abort = () => {
        settle(() => reject(signal.reason));
        void this.end();
      };
      const timer = setTimeout(() => {
        settle(() => resolve({ timedOut: true }));
        void this.end();
      }, 1000 * timeoutSeconds);
      signal.addEventListener('abort', abort, { once: true });
      this.answer = called => settle(() => resolve(called));
      this.worker.postMessage(input);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
