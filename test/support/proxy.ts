/** An HTTP proxy on this machine that writes down what it is asked for, and leads every host to one address. */
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export class LoggingProxy {
  /** "CONNECT judge.example:443", "POST http://judge.example/v1/…". */
  readonly asked: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  /** Answers everything with this status. */
  refuseWith: number | null = null;
  url = '';
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  /** @param port where on this machine everything is led */
  constructor(port: () => number) {
    this.server = createServer((asked, response) => {
      this.note(`${asked.method} ${asked.url}`, asked.headers['proxy-authorization']);
      if (this.refuseWith !== null) return void response.writeHead(this.refuseWith).end();
      const { pathname, search } = new URL(asked.url!);
      const { method, headers } = asked;
      const onward = request({ host: '127.0.0.1', port: port(), path: pathname + search, method, headers }, reply => {
        response.writeHead(reply.statusCode!, reply.headers);
        reply.pipe(response);
      });
      asked.pipe(onward);
    });
    this.server.on('connect', (asked, socket: Socket) => {
      this.note(`CONNECT ${asked.url}`, asked.headers['proxy-authorization']);
      if (this.refuseWith !== null) return void socket.end(`HTTP/1.1 ${this.refuseWith} Refused\r\n\r\n`);
      const onward = connect(port(), '127.0.0.1', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
      for (const one of [socket, onward]) this.sockets.add(one.on('error', () => one.destroy()) as Socket);
      socket.pipe(onward).pipe(socket);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>(started => this.server.listen(0, '127.0.0.1', started));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await new Promise(stopped => this.server.close(stopped));
  }

  private note(asked: string, authorization: string | undefined): void {
    this.asked.push(asked);
    this.authorizations.add(authorization);
  }
}
