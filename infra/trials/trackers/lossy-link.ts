/**
 * An HTTP proxy before a tracker's server. Some requests are carried out and their answers lost: whoever sent them cannot know
 * whether they were.
 */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RandomStream, randomStream } from '../../../activities/engine/random.js';

export class LossyLink {
  /** One answer of so many is lost, by chance: a pattern would strike the same request of each try. 0: none. */
  losesOneOf = 0;
  lost = 0;
  passed = 0;
  readonly #server: Server;
  readonly #chance: RandomStream;

  private constructor(
    readonly name: string,
    readonly port: number,
  ) {
    this.#chance = randomStream('lost answers', name);
    this.#server = createServer(async (asked, answer) => {
      const parts: Buffer[] = [];
      for await (const part of asked) parts.push(part as Buffer);
      const body = Buffer.concat(parts);
      const { method, url, headers } = asked;
      const own = { ...headers, host: `127.0.0.1:${port}`, 'content-length': String(body.length) };
      const upstream = request({ host: '127.0.0.1', port, method, path: url, headers: own }, reply => {
        const chunks: Buffer[] = [];
        reply.on('data', chunk => chunks.push(chunk));
        reply.on('error', () => asked.socket.destroy());
        reply.on('end', () => {
          this.passed++;
          if (this.losesOneOf > 0 && this.#chance.below(this.losesOneOf) === 0) {
            this.lost++;
            asked.socket.destroy();
            return;
          }
          answer.writeHead(reply.statusCode!, { 'content-type': reply.headers['content-type'] ?? 'text/plain' });
          answer.end(Buffer.concat(chunks));
        });
      });
      upstream.on('error', () => asked.socket.destroy());
      upstream.end(body);
    });
  }

  static async before(name: string, port: number): Promise<LossyLink> {
    const link = new LossyLink(name, port);
    await new Promise<void>(resolve => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
