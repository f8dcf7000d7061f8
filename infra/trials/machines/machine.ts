/** One machine of the trial: a host of the network with a worker of each kind, which nothing else of it is shared with. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { notesIn } from '../../../workers/in-hand.js';
import { LONGHAUL_COMMAND } from '../../checkout.js';
import { inHandOf, logsOf } from '../../local/stack.js';
import { Supervised } from '../../local/supervised.js';
import type { Host, Network } from './network.js';
import type { Services } from './services.js';

/** As long as a machine takes to come up again, in the trial's haste. */
const RESTART_MS = 5000;
const GRACE_MS = 60_000;
/** Two engines on two cores. */
const THREADS = '1';

export class Machine {
  readonly #workers: Supervised[] = [];

  private constructor(
    readonly host: Host,
    readonly state: string,
  ) {}

  static async start(network: Network, host: Host, services: Services, folder: string): Promise<Machine> {
    const state = join(folder, host.name);
    await mkdir(logsOf(state), { recursive: true });
    const machine = new Machine(host, state);
    for (const kind of ['cpu', 'gpu']) machine.#start(network, services, kind);
    return machine;
  }

  #start(network: Network, { address, root, environment }: Services, kind: string): void {
    const { host, state } = this;
    const where = ['--address', address, '--namespace', 'default', '--store', root, '--state', state];
    const args = [LONGHAUL_COMMAND, 'worker', kind, ...where];
    const own = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL_|LONGHAUL_)/.test(name));
    const worker = new Supervised({
      ...network.on(host, process.execPath, args),
      name: `${kind} worker of ${host.name}`,
      env: {
        ...Object.fromEntries(own),
        ...environment,
        HOME: state,
        LONGHAUL_STORE_CACHE: join(state, 'cache'),
        LONGHAUL_ENGINE_THREADS: THREADS,
      },
      logFile: join(logsOf(state), `${kind}.log`),
      channel: true,
      onEnd: () => {},
      onStart: () => {},
      longestPauseMs: RESTART_MS,
    });
    worker.start();
    this.#workers.push(worker);
  }

  /** What its workers have in hand now, by their own notes. */
  async inHand(): Promise<string[]> {
    return (await notesIn(inHandOf(this.state))).map(({ activity }) => activity);
  }

  /** Ends every process on it at once, engine included, as a power cut. They are started again by themselves. */
  kill(): void {
    for (const { identity } of this.#workers) if (identity) killGroup(identity.pid);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.stop(GRACE_MS)));
  }
}

/** A worker leads a group of its own (see Supervised), which its engine is in. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
