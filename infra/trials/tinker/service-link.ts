/** Between workers and a training service: passes everything on, and loses what it is told to. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const isPromise = (url: string): boolean => url.endsWith('/retrieve_future');
/** Calls that nobody waits for say nothing when they get lost. */
const isHeartbeat = (url: string): boolean => url.endsWith('/session_heartbeat');

export class ServiceLink {
  /** What was lost so far. */
  readonly lost = { answers: 0, promises: 0 };
  #answers = 0;
  #promises = 0;

  private constructor(
    private readonly server: Server,
    private readonly onward: number,
  ) {}

  /**
   * @param port of the service, on this machine
   * @param own to listen on; a free one if it is 0
   */
  static async listen(port: number, own = 0): Promise<ServiceLink> {
    const server = createServer();
    const link = new ServiceLink(server, port);
    server.on('request', (asked, answer) => link.#pass(asked, answer));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(own, '127.0.0.1', resolve);
    });
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next so many calls reach the service, and in the stead of its answer the connection breaks. */
  loseAnswers(count: number): void {
    this.#answers += count;
  }

  /** The next so many questions for a promise are answered as by a service that no longer knows it. */
  forgetPromises(count: number): void {
    this.#promises += count;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, headers, url = '' } = asked;
    if (this.#promises > 0 && isPromise(url)) {
      this.#promises--;
      this.lost.promises++;
      asked.resume();
      answer.writeHead(410, { 'Content-Type': 'application/json' }).end('{"detail": "promise expired"}');
      return;
    }
    const onward = request({ host: '127.0.0.1', port: this.onward, method, path: url, headers }, given => {
      if (this.#answers > 0 && !isHeartbeat(url)) {
        this.#answers--;
        this.lost.answers++;
        given.resume().on('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(given.statusCode!, given.headers);
      given.pipe(answer);
      given.on('error', () => asked.socket.destroy());
    });
    onward.on('error', () => asked.socket.destroy());
    asked.on('close', () => asked.complete || onward.destroy());
    asked.pipe(onward);
  }
}
