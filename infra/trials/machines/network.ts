/**
 * Machines without machines: network namespaces of Linux, each with a name and a network card of its own, joined by a
 * bridge on which this machine stands too. What a cable does can be done to each card: pulled out, put back, made slow.
 */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { atExit } from '../../local/at-exit.js';
import { UserError } from '../../user-error.js';

const run = promisify(execFile);

/** What a slow line lets through. */
const SLOW = { rate: '2mbit', burst: '16kb', latency: '2s' };
/** Of 253 networks, so that two trials on one machine are unlikely to meet. */
const third = 1 + (process.pid % 253);

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}

/** A namespace and its card. */
export interface Host {
  /** Also what programs in it take for the machine's name. */
  name: string;
  namespace: string;
  address: string;
  /** The end of its cable on this machine's side. */
  cable: string;
}

export class Network {
  readonly hosts: Host[] = [];
  readonly address = `10.213.${third}.1`;
  readonly #bridge = `lhbr${process.pid % 100_000}`;

  /** @throws UserError where this user, or this system, cannot make one */
  static async create(names: readonly string[]): Promise<Network> {
    const network = new Network();
    // Whatever ends this process, it leaves no network behind.
    atExit(() => network.#removeNow());
    try {
      await ip('link', 'add', network.#bridge, 'type', 'bridge');
      await ip('addr', 'add', `${network.address}/24`, 'dev', network.#bridge);
      await ip('link', 'set', network.#bridge, 'up');
      for (const name of names) await network.#add(name);
      return network;
    } catch (error) {
      await network.remove();
      throw new UserError(
        `Network namespaces cannot be made here: ${(error as Error).message.trim().split('\n').at(-1)}\n` +
          'This trial needs Linux, the programs ip, tc (iproute2) and unshare (util-linux), and root or CAP_NET_ADMIN and ' +
          'CAP_SYS_ADMIN, as with sudo or in a privileged container.',
      );
    }
  }

  async #add(name: string): Promise<void> {
    const number = this.hosts.length;
    const id = `${process.pid % 100_000}-${number}`;
    const host = { name, namespace: `lh${id}`, cable: `lhv${id}`, address: `10.213.${third}.${number + 11}` };
    const [there, inside] = [host.namespace, `lhe${id}`];
    await ip('netns', 'add', there);
    this.hosts.push(host);
    await ip('link', 'add', host.cable, 'type', 'veth', 'peer', 'name', inside);
    await ip('link', 'set', inside, 'netns', there);
    await ip('link', 'set', host.cable, 'master', this.#bridge, 'up');
    await ip('-n', there, 'addr', 'add', `${host.address}/24`, 'dev', inside);
    await ip('-n', there, 'link', 'set', inside, 'up');
    await ip('-n', there, 'link', 'set', 'lo', 'up');
  }

  /** A command line that runs another on the host, under the host's name. */
  on({ name, namespace }: Host, command: string, args: readonly string[]): { command: string; args: string[] } {
    const naming = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"';
    return {
      command: 'ip',
      args: ['netns', 'exec', namespace, 'unshare', '--uts', 'sh', '-c', naming, name, command, ...args],
    };
  }

  /** Pulls the cable out, as nobody is told who has a connection. */
  async cut({ cable }: Host): Promise<void> {
    await ip('link', 'set', cable, 'down');
  }

  async join({ cable }: Host): Promise<void> {
    await ip('link', 'set', cable, 'up');
  }

  /** What comes to the host comes slowly, and with it the answers that it waits for before it sends more. */
  async slow({ cable }: Host): Promise<void> {
    const { rate, burst, latency } = SLOW;
    await run('tc', [
      'qdisc',
      'replace',
      'dev',
      cable,
      'root',
      'tbf',
      'rate',
      rate,
      'burst',
      burst,
      'latency',
      latency,
    ]);
  }

  async unslow({ cable }: Host): Promise<void> {
    await run('tc', ['qdisc', 'del', 'dev', cable, 'root']);
  }

  async remove(): Promise<void> {
    for (const command of this.#removal()) await run('ip', command).catch(() => {});
    this.hosts.length = 0;
  }

  #removal(): string[][] {
    return [
      ...this.hosts.flatMap(({ cable, namespace }) => [
        ['link', 'del', cable],
        ['netns', 'del', namespace],
      ]),
      ['link', 'del', this.#bridge],
    ];
  }

  #removeNow(): void {
    if (this.hosts.length === 0) return;
    for (const command of this.#removal()) spawnSync('ip', command, { stdio: 'ignore' });
  }
}

export const SLOWED_TO = '2 Mbit/s';
