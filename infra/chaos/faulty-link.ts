/**
 * A TCP proxy between one worker and the server, whose connections can be cut (reset, and no new ones) or stalled: half
 * open, both ends believing in a connection on which nothing arrives any more.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class FaultyLink {
  #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #state: 'open' | 'cut' | 'stalled' = 'open';

  private constructor(readonly target: { host: string; port: number }) {
    this.#server = createServer(client => this.#accept(client));
  }

  static async listen(target: { host: string; port: number }): Promise<FaultyLink> {
    const proxy = new FaultyLink(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('the proxy listens on no port');
    return `127.0.0.1:${address.port}`;
  }

  /** Resets every connection, and each new one at once. */
  cut(): void {
    this.#state = 'cut';
    this.#endAll();
  }

  /** Forwards nothing any more; new connections are taken and get no answer. */
  stall(): void {
    this.#state = 'stalled';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Lets new connections through; those that were stalled are reset, as when a firewall has forgotten them. */
  mend(): void {
    this.#endAll();
    this.#state = 'open';
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(client: Socket): void {
    if (this.#state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.target);
    const pair: [Socket, Socket] = [client, upstream];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', end);
      from.on('close', end);
      // Not pipe(): it resumes by itself a socket that was paused.
      from.on('data', data => {
        if (!to.write(data)) from.pause();
      });
      to.on('drain', () => {
        if (this.#state !== 'stalled') from.resume();
      });
      if (this.#state === 'stalled') from.pause();
    }
  }

  #endAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }
}
