/** `longhaul ui`: a web page over the store and the running workflows. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { isS3Address } from '../../activities/store/index.js';
import { openTextModel } from '../../activities/text/index.js';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { Answers } from '../ui/answers.js';
import { ServerRuns } from '../ui/live.js';
import { uiServer } from '../ui/server.js';
import { WatchedStore } from '../ui/watched-store.js';
import { UserError } from '../user-error.js';
import { INTERRUPTED, onInterrupt } from './interrupt.js';
import {
  portOf,
  type StateFlags,
  type StoreFlags,
  storeOf,
  withConnectionFlags,
  withStateFlag,
  withStoreFlag,
} from './options.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8265;

type UiFlags = StoreFlags & StateFlags & ConnectionFlags & { port?: string; host: string };

export function uiCommand(): Command {
  return withConnectionFlags(
    withStateFlag(withStoreFlag(new Command('ui')))
      .option('--port <n>', `port of the page (default: ${DEFAULT_PORT})`)
      .option('--host <host>', 'address to listen on; whoever reaches it reads the store', DEFAULT_HOST),
  )
    .description('a web page to watch runs learn, over the store and whatever server answers; until Ctrl-C')
    .action(async (flags: UiFlags) => {
      process.exitCode = await ui(flags);
    });
}

async function ui(flags: UiFlags): Promise<number> {
  const root = storeOf(flags);
  if (isS3Address(root))
    throw new UserError(
      `The web page reads stores in folders alone: npx longhaul store copy ${root} FOLDER makes one.`,
    );
  const store = new WatchedStore(root);
  await store.open();
  const live = new ServerRuns(connectionSettings(flags));
  const answers = new Answers({ store, models: { open: openTextModel }, live });
  const server = uiServer({ answers, names: [flags.host], log: line => process.stderr.write(`${line}\n`) });
  const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
  try {
    server.listen(portOf(flags.port) ?? DEFAULT_PORT, flags.host);
    await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`${error.message}. Choose another with --port or --host.`);
    });
    process.stdout.write(`UI       ${addressOf(server.address() as AddressInfo)}\nstore    ${store.root}\n`);
    if (!interrupt.signal.aborted) await once(interrupt.signal, 'abort');
    return 0;
  } finally {
    server.close();
    server.closeAllConnections();
    await live.close();
    interrupt.dispose();
  }
}

const addressOf = ({ address, family, port }: AddressInfo) =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
