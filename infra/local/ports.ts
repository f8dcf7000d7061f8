import { createServer } from 'node:net';
import { UserError } from '../user-error.js';

/**
 * A free port on this machine: the one that was asked for or a refusal; else the usual one or, when it is taken, any.
 * @throws UserError when `asked` is taken
 */
export async function choosePort(asked: number | undefined, usual: number): Promise<number> {
  if (asked !== undefined) {
    if (await listens(asked)) return asked;
    throw new UserError(`Port ${asked} is taken. Name another, or none: then a free one is found.`);
  }
  return (await listens(usual)) ?? (await listens(0))!;
}

/** The port that could be listened on (0 asks for any), or null when it is taken. */
function listens(port: number): Promise<number | null> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' && address ? address.port : null;
      server.close(() => resolve(found));
    });
  });
}
