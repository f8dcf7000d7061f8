/**
 * A process of its own, as a worker is one: publishes a large folder, or fetches it, and says in a line of JSON what that
 * took.
 *
 *   node transfer.js publish|fetch s3://BUCKET/PREFIX FOLDER
 */
import { type ArtifactRef, fileHashes, openStore } from '../../../activities/store/index.js';
import { peakMemory } from '../../bench/process-usage.js';

export interface Transfer {
  seconds: number;
  processorSeconds: number;
  /** Resident before, with the client loaded; most ever resident. */
  idleBytes: number;
  peakBytes: number;
}

const URI = 'store:runs/large/checkpoints/p';
const HASHES = 'store:runs/large/hashes.json';

async function main([doing, root, folder]: string[]): Promise<Transfer> {
  const store = await openStore(root!);
  let use: () => Promise<unknown>;
  if (doing === 'publish') {
    // As an engine gives them, which takes them while it writes.
    const hashes = await fileHashes(folder!);
    await store.create();
    await store.publishText(HASHES, JSON.stringify(hashes));
    use = (): Promise<ArtifactRef> => store.publishFolder(URI, folder!, undefined, hashes);
  } else {
    await store.find(HASHES);
    use = () => store.localFolder(URI);
  }
  const idleBytes = process.memoryUsage.rss();
  const [before, began] = [process.cpuUsage(), performance.now()];
  await use();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - began) / 1000;
  const peakBytes = peakMemory(process.pid) ?? process.memoryUsage.rss();
  return { seconds, processorSeconds: (user + system) / 1e6, idleBytes, peakBytes };
}

void main(process.argv.slice(2)).then(transfer => process.stdout.write(`${JSON.stringify(transfer)}\n`));
