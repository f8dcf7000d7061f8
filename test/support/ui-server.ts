/** The web page's server over a store, on a port of its own. */
import type { AddressInfo } from 'node:net';
import type { Models } from '../../activities/text/index.js';
import { Answers } from '../../infra/ui/answers.js';
import { ControlToken, type RunControl } from '../../infra/ui/control.js';
import { NO_HISTORIES, type RunHistories } from '../../infra/ui/history.js';
import { type LiveRuns, NO_SERVER } from '../../infra/ui/live.js';
import { uiServer } from '../../infra/ui/server.js';
import { watchedStore } from '../../infra/ui/watched-store.js';

export interface UiOptions {
  /** The store's root. */
  root: string;
  models: Pick<Models, 'open'>;
  live?: LiveRuns;
  histories?: RunHistories;
  control?: RunControl;
}

export interface ServedUi {
  address: string;
  token: string;
  /** What went wrong that should not. */
  logged: string[];
  close(): void;
}

export async function serveUi(options: UiOptions): Promise<ServedUi> {
  const { root, models, live = NO_SERVER, histories = NO_HISTORIES, control = null } = options;
  const store = await watchedStore(root);
  await store.open();
  const answers = new Answers({ store, models, live, histories, control });
  const token = new ControlToken();
  const logged: string[] = [];
  const server = uiServer({
    answers,
    names: ['box.example'],
    control: control && { runs: control, token },
    log: line => logged.push(line),
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: token.text,
    logged,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
