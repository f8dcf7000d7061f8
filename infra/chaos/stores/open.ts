/** Which store the disturbed runs are on, as a command line says it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isS3Address } from '../../../activities/store/index.js';
import { UserError } from '../../user-error.js';
import { ChaosBucket } from './bucket.js';
import type { ChaosStore } from './chaos-store.js';
import { ChaosFolder } from './folder.js';
import { BUCKET, Gateway } from './gateway.js';

/** A folder; a bucket of an S3 server of the harness's own; or one of a server that is there: s3://BUCKET/PREFIX. */
export type StoreChoice = 'folder' | 'gateway' | `s3://${string}`;

/** Beside the ports of the Temporal server. */
const USUAL_PORT = 30_000 + 2 * (process.pid % 1000);

/** @throws UserError */
export function storeChoice(typed: string): StoreChoice {
  if (typed === 'folder' || typed === 'gateway' || isS3Address(typed)) return typed as StoreChoice;
  throw new UserError(`--store ${typed}: expected folder, gateway, or s3://BUCKET/PREFIX`);
}

export interface OpenChaosStore {
  store: ChaosStore;
  stop(): Promise<void>;
}

/** @param folder of the trial, whose name is its own */
export async function openChaosStore(choice: StoreChoice, folder: string, name: string): Promise<OpenChaosStore> {
  await mkdir(folder, { recursive: true });
  if (choice === 'folder') {
    const store = new ChaosFolder(join(folder, 'store'));
    return { store, stop: () => store.stop() };
  }
  const gateway = choice === 'gateway' ? await Gateway.start(folder, USUAL_PORT) : null;
  const root = gateway ? `s3://${BUCKET}` : choice;
  try {
    const store = await ChaosBucket.open(`${root}/chaos-${process.pid}-${name}`, folder, gateway);
    const stop = async () => {
      await store.stop();
      await gateway?.stop();
    };
    return { store, stop };
  } catch (error) {
    await gateway?.stop();
    throw error;
  }
}
