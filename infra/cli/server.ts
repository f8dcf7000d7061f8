/**
 * The server that a command works with: the one that is configured or, where none is, the local stack. Whatever else may
 * answer at localhost:7233 is somebody's, and its workers have a store of their own.
 */
import { Client, Connection } from '@temporalio/client';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { runningStack, type Stack, startStack } from '../local/stack.js';
import { portOf, type StackFlags, type StateFlags, stateOf, storeOf, withClient } from './options.js';

export interface UsedServer {
  client: Client;
  /** Null of a server that is somebody else's. */
  stack: Stack | null;
}

export interface ServerOptions {
  log: (line: string) => void;
  /** Told of the stack as soon as there is one. */
  onStack: (stack: Stack) => void;
}

/** Runs `use` with a client of that server; a stack that was started for it is stopped afterwards. */
export async function withServer<T>(
  flags: ConnectionFlags & StackFlags,
  { log, onStack }: ServerOptions,
  use: (server: UsedServer) => Promise<T>,
): Promise<T> {
  if (isConfigured(flags)) {
    return withClient(flags, client => use({ client, stack: null }));
  }
  const stack = await startStack({
    state: stateOf(flags),
    store: storeOf(flags),
    port: portOf(flags.port),
    uiPort: portOf(flags.uiPort),
    log,
  });
  onStack(stack);
  try {
    const connection = await Connection.connect({ address: stack.address });
    try {
      return await use({ client: new Client({ connection }), stack });
    } finally {
      await connection.close();
    }
  } finally {
    if (stack.owned) log('Stopping: the workers hand back their work first (Ctrl-C again ends them at once).');
    await stack.stop();
  }
}

/** As `withServer`, with no stack started: what is asked for must outlive the command. */
export function withRunningServer<T>(
  flags: ConnectionFlags & StateFlags,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const local = isConfigured(flags) ? null : runningStack(stateOf(flags));
  return withClient(local ? { ...flags, address: local.address } : flags, use);
}

/** Whether flags, environment or profile say where the server is. */
export const isConfigured = (flags: ConnectionFlags) => connectionSettings(flags).connection.address !== undefined;
