/** What stands in the middle, on a host of its own: a Temporal server, and a bucket on the Versity gateway. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenedStore, openStore } from '../../../activities/store/index.js';
import { gatewayBinary, gatewayCommand, untilAnswers } from '../../chaos/stores/gateway.js';
import { answers, logsOf, serverArguments } from '../../local/stack.js';
import { Supervised } from '../../local/supervised.js';
import { findTemporal } from '../../local/temporal-binary.js';
import type { Host, Network } from './network.js';

const BUCKET = 'trial';
const GRACE_MS = 10_000;
/** Nobody else is on the host. */
const PORTS = { server: 7233, ui: 8233, gateway: 7070 };

export interface Services {
  /** Of the Temporal server. */
  address: string;
  /** Of the store, `s3://…`. */
  root: string;
  store: OpenedStore;
  /** By which a process reaches the store. */
  environment: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

export async function startServices(
  network: Network,
  host: Host,
  state: string,
  log: (line: string) => void,
): Promise<Services> {
  const binary = gatewayBinary();
  await mkdir(logsOf(state), { recursive: true });
  const temporal = await findTemporal({ log });
  const objects = join(state, 'objects');
  await mkdir(join(objects, BUCKET), { recursive: true });
  const gateway = gatewayCommand(`${host.address}:${PORTS.gateway}`, objects);
  const supervise = (name: string, command: string, args: string[], env: NodeJS.ProcessEnv) => {
    const logFile = join(logsOf(state), `${name}.log`);
    const where = network.on(host, command, args);
    const child = new Supervised({ ...where, name, env, logFile, channel: false, onEnd: log, onStart: () => {} });
    child.start();
    return child;
  };
  const children = [
    // On all of the host's addresses: given one alone, the server's own services look for each other on 127.0.0.1 in vain.
    supervise('server', temporal, serverArguments(state, PORTS.server, PORTS.ui, '0.0.0.0'), process.env),
    supervise('gateway', binary, gateway.args, gateway.env),
  ];
  const stop = async () => {
    await Promise.all(children.map(child => child.stop(GRACE_MS)));
  };
  const address = `${host.address}:${PORTS.server}`;
  const environment = gateway.client;
  try {
    await answers(address, join(logsOf(state), 'server.log'));
    await untilAnswers(environment.AWS_ENDPOINT_URL_S3, join(logsOf(state), 'gateway.log'));
    // The client takes endpoint and credentials from the process, as in a worker.
    Object.assign(process.env, environment, { LONGHAUL_STORE_CACHE: join(state, 'cache') });
    const root = `s3://${BUCKET}/store`;
    const store = await openStore(root);
    await store.create();
    return { address, root, store, environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
