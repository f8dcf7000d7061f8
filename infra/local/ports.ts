/** Ports of this machine for servers that other programs open, so that nothing can be handed over but the number. */
import { createServer, type Server } from 'node:net';
import { UserError } from '../user-error.js';

export interface PortClaim {
  port: number;
  /** To be called once the server listens, or will not. */
  release(): void;
}

/**
 * Between a port's being found free and the server's listening on it others may find it free as well. Whoever means to
 * take a port therefore listens on this one beside it until then: the system gives that to one of them only.
 */
const TOKEN_DISTANCE = 10_000;

/**
 * A free port on this machine: the one that was asked for or a refusal; else the usual one or, when it is taken, any.
 * @throws UserError when `asked` is taken
 */
export async function claimPort(asked: number | undefined, usual: number): Promise<PortClaim> {
  if (asked !== undefined) {
    if ((await freePort(asked)) === null)
      throw new UserError(`Port ${asked} is taken. Name another, or none: then a free one is found.`);
    return { port: asked, release: () => {} };
  }
  return (await claim(usual)) ?? { port: (await freePort(0))!, release: () => {} };
}

async function claim(port: number): Promise<PortClaim | null> {
  const above = port + TOKEN_DISTANCE;
  const token = await listen(above > 65_535 ? port - TOKEN_DISTANCE : above);
  if (!token) return null;
  token.unref();
  if ((await freePort(port)) !== null) return { port, release: () => token.close() };
  token.close();
  return null;
}

/** The port, if it could be listened on (0 asks for any); null when it is taken. */
async function freePort(port: number): Promise<number | null> {
  const server = await listen(port);
  if (!server) return null;
  const found = portOf(server);
  await new Promise(resolve => server.close(resolve));
  return found;
}

/** A server on the port (0 asks for any), or null when it is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the server listens on no port');
  return address.port;
}
