/** Mutual TLS before a plaintext server, as a load balancer would have it: who shows no certificate of the authority's is refused. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

/** A file of test/fixtures/tls, made by make.sh there; the server's certificate is for `temporal.test`. */
export const tlsFile = (name: string): string => join(__dirname, '../fixtures/tls', name);

const read = (name: string) => readFileSync(tlsFile(name));

/** What both TLS servers of the tests show and want. */
export const TLS_OPTIONS = {
  cert: read('server.crt'),
  key: read('server.key'),
  ca: read('ca.crt'),
  requestCert: true,
  rejectUnauthorized: true,
  ALPNProtocols: ['h2'],
};

export class TlsFront {
  /** Who was let through: the names in their certificates. */
  readonly guests = new Set<string>();
  private readonly server: Server;
  address = '';

  /** @param target host:port of the plaintext server */
  constructor(target: string) {
    const [host, port] = target.split(':') as [string, string];
    this.server = createServer(TLS_OPTIONS, guest => {
      this.guests.add(String(guest.getPeerCertificate().subject.CN));
      const inner = connect(Number(port), host);
      guest.pipe(inner).pipe(guest);
      for (const [one, other] of [
        [guest, inner],
        [inner, guest],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>(started => this.server.listen(0, '127.0.0.1', started));
    this.address = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): void {
    this.server.close();
  }
}
