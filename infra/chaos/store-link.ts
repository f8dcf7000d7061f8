/**
 * An HTTP proxy between the workers and an S3 server, through which the server is away, slow, answers with errors, or loses
 * its connections in the middle of what is sent.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Trouble =
  /** Connections are reset. */
  | { kind: 'away' }
  /** Each request waits so long. */
  | { kind: 'slow'; ms: number }
  /** So many of ten requests get this answer, and do not reach the server. */
  | { kind: 'failing'; status: 500 | 503; ofTen: number }
  /** What is sent breaks off after so many bytes. */
  | { kind: 'cutting'; bytes: number };

const ERROR_CODES = { 500: 'InternalError', 503: 'SlowDown' } as const;

export class StoreLink {
  readonly #server: Server;
  #trouble: Trouble | null = null;
  #asked = 0;
  /** Requests that met with trouble. */
  struck = 0;
  /** Told of each request, by what it does and to which path. */
  onAsked: (method: string, path: string) => void = () => {};

  /** @param target address of the server, http:// */
  private constructor(readonly target: string) {
    this.#server = createServer((incoming, answer) => void this.#handle(incoming, answer));
  }

  static async listen(target: string): Promise<StoreLink> {
    const link = new StoreLink(target);
    await new Promise<void>((resolve, reject) => {
      link.#server.once('error', reject);
      link.#server.listen(0, '127.0.0.1', resolve);
    });
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  make(trouble: Trouble): void {
    this.#trouble = trouble;
    if (trouble.kind === 'away') this.#server.closeAllConnections();
  }

  mend(): void {
    this.#trouble = null;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const trouble = this.#trouble;
    this.#asked++;
    this.onAsked(incoming.method!, decodeURIComponent(incoming.url!));
    if (trouble) this.struck++;
    if (trouble?.kind === 'away') return void incoming.socket.destroy();
    if (trouble?.kind === 'slow') await new Promise(resolve => setTimeout(resolve, trouble.ms));
    if (trouble?.kind === 'failing' && this.#asked % 10 < trouble.ofTen) {
      incoming.resume();
      const body = `<Error><Code>${ERROR_CODES[trouble.status]}</Code><Message>chaos</Message></Error>`;
      return void answer.writeHead(trouble.status, { 'content-type': 'application/xml' }).end(body);
    }
    this.#pass(incoming, answer, trouble?.kind === 'cutting' ? trouble.bytes : Number.POSITIVE_INFINITY);
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse, most: number): void {
    const { method, headers, url } = incoming;
    const onward = request(new URL(url!, this.target), { method: method!, headers }, back => {
      answer.writeHead(back.statusCode!, back.headers);
      back.pipe(answer);
      back.once('error', () => incoming.socket.destroy());
    });
    const cut = () => {
      incoming.socket.destroy();
      onward.destroy();
    };
    onward.once('error', () => incoming.socket.destroy());
    incoming.once('error', () => onward.destroy());
    answer.once('close', () => {
      if (!answer.writableFinished) onward.destroy();
    });
    let sent = 0;
    incoming.on('data', (bytes: Buffer) => {
      sent += bytes.length;
      if (sent > most) return cut();
      if (!onward.write(bytes)) {
        incoming.pause();
        onward.once('drain', () => incoming.resume());
      }
    });
    incoming.once('end', () => onward.end());
  }
}
