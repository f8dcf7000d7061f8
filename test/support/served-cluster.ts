/** A stand-in for a training service, a Temporal server, and workers in processes of their own, as users start them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FolderStore } from '../../activities/store/index.js';
import { LONGHAUL_COMMAND } from '../../infra/checkout.js';
import { RealWorkers } from './real-workers.js';
import { startServed } from './served-run.js';
import { startServer, type TestServer } from './temporal-server.js';
import type { Behaviour, TinkerServer } from './tinker-server/index.js';

const execute = promisify(execFile);

export interface ServedCluster {
  service: TinkerServer;
  /** In no history, log or message. */
  key: string;
  server: TestServer;
  folder: string;
  store: FolderStore;
  workers: RealWorkers;
  /** The command, on this cluster; gives what it prints. @throws where it ends with another code than 0 */
  longhaul(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export async function startServedCluster(
  key = 'tml-seen-by-nobody-else',
  behaviour: Partial<Behaviour> = {},
): Promise<ServedCluster> {
  const first = await startServed();
  const service = await first.another({ ...behaviour, key });
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-tinker-'));
  const server = await startServer();
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: server.env.address,
    LONGHAUL_STATE: folder,
    LONGHAUL_ENGINE: 'tinker',
    LONGHAUL_ENGINE_URL: service.url,
    LONGHAUL_ENGINE_KEY_VARIABLE: 'TINKER_API_KEY',
    TINKER_API_KEY: key,
  };
  const workers = new RealWorkers(folder, [], env);
  return {
    ...{ service, key, server, folder, workers },
    store: new FolderStore(join(folder, 'store')),
    longhaul: async (...args) => (await execute(process.execPath, [LONGHAUL_COMMAND, ...args], { env })).stdout,
    stop: async () => {
      await workers.stop();
      await server.env.teardown();
      await service.stop();
      await first.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
