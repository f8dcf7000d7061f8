/** `longhaul ui`: a web page over the store and the running workflows. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { openTextModel } from '../../activities/text/index.js';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { Answers } from '../ui/answers.js';
import { ControlToken, ServerControl } from '../ui/control.js';
import { ServerHistories } from '../ui/history.js';
import { ServerRuns } from '../ui/live.js';
import { Measuring } from '../ui/measuring.js';
import { uiServer } from '../ui/server.js';
import { watchedStore } from '../ui/watched-store.js';
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

type UiFlags = StoreFlags & StateFlags & ConnectionFlags & { port?: string; host: string; control?: boolean };

export function uiCommand(): Command {
  return withConnectionFlags(
    withStateFlag(withStoreFlag(new Command('ui')))
      .option('--port <n>', `port of the page (default: ${DEFAULT_PORT})`)
      .option('--host <host>', 'address to listen on; whoever reaches it reads the store', DEFAULT_HOST)
      .option(
        '--control',
        'let the page start, pause, resume, replay and cancel runs, and measure tokens, at the address with the token',
      ),
  )
    .description('a web page to watch runs learn, over the store and whatever server answers; until Ctrl-C')
    .action(async (flags: UiFlags) => {
      process.exitCode = await ui(flags);
    });
}

async function ui(flags: UiFlags): Promise<number> {
  const store = await watchedStore(storeOf(flags));
  await store.open();
  const live = new ServerRuns(connectionSettings(flags));
  const histories = new ServerHistories(live.client);
  const runs = flags.control ? new ServerControl(live.client, new Measuring(store.root)) : null;
  const control = runs && { runs, token: new ControlToken() };
  const answers = new Answers({ store, models: { open: openTextModel }, live, histories, control: runs });
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const server = uiServer({ answers, names: [flags.host], control, log });
  const interrupt = onInterrupt(() => process.exit(INTERRUPTED));
  try {
    server.listen(portOf(flags.port) ?? DEFAULT_PORT, flags.host);
    await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw new UserError(`${error.message}. Choose another with --port or --host.`);
    });
    // What stands behind # is the browser's own: it sends it nowhere, and the page takes it out of the address.
    const token = control ? `/#token=${control.token.text}` : '';
    process.stdout.write(`UI       ${addressOf(server.address() as AddressInfo)}${token}\nstore    ${store.root}\n`);
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
