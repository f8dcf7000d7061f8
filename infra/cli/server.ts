/**
 * The server that a command works with: the one that is configured or, where none is, the local stack. Whatever else may
 * answer at localhost:7233 is somebody's, and its workers have a store of their own.
 */
import { Client, Connection } from '@temporalio/client';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { rememberLocalServer } from '../local/command-lines.js';
import { runningStack, type Stack, startStack } from '../local/stack.js';
import type { Screen } from '../view/screen.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import { portOf, type StackFlags, type StateFlags, stateOf, storeOf, withClient } from './options.js';

export interface UsedServer {
  client: Client;
  /** Null of a server that is somebody else's. */
  stack: Stack | null;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/**
 * Runs `use` with a client of that server; a stack that was started for it is stopped afterwards. The second Ctrl-C ends all
 * at once.
 */
export async function withServer<T>(
  flags: ConnectionFlags & StackFlags,
  screen: Screen,
  use: (server: UsedServer) => Promise<T>,
): Promise<T> {
  let stack: Stack | null = null;
  const { signal, dispose } = onInterrupt(() => {
    stack?.kill();
    process.exit(INTERRUPTED);
  });
  try {
    if (isConfigured(flags)) return await withClient(flags, client => use({ client, stack: null, signal }));
    stack = await startStack({
      state: stateOf(flags),
      store: storeOf(flags),
      port: portOf(flags.port),
      uiPort: portOf(flags.uiPort),
      log: line => screen.print([line]),
    });
    rememberLocalServer(stack.address);
    return await onLocalStack(stack, screen, client => use({ client, stack, signal }));
  } finally {
    dispose();
  }
}

async function onLocalStack<T>(stack: Stack, screen: Screen, use: (client: Client) => Promise<T>): Promise<T> {
  try {
    const connection = await Connection.connect({ address: stack.address });
    try {
      return await use(new Client({ connection }));
    } finally {
      await connection.close();
    }
  } finally {
    if (stack.owned)
      screen.print(['Stopping: the workers hand back their work first (Ctrl-C again ends them at once).']);
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
