/** A bit that flips on the disk. The engines are killed with it, so that what is damaged is soon wanted. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AT_ONCE, type FaultKind, type Injury, pickOf, type Target } from './fault.js';

/** In one of the newest files of the redo log. */
export const flipBitInLog: FaultKind = async (target, fault) => {
  const newest = await newestOf(target, /\/steps\/\d+\/(rollouts|scores|update)[-\d]*\.jsonl?$/, 4);
  return damage(target, pickOf(newest, fault), fault.force);
};

/** In one of the newest checkpoint's files. */
export const flipBitInCheckpoint: FaultKind = async (target, fault) => {
  const [newest] = await newestOf(target, /\/checkpoints\/[^/]+\/state\.json$/, 1);
  if (!newest) return null;
  const folder = newest.slice(0, -'state.json'.length);
  const files = (await newestOf(target, /\/checkpoints\/[^/]+\/[^/]+$/, Number.POSITIVE_INFINITY)).filter(path =>
    path.startsWith(folder),
  );
  return damage(target, pickOf(files.sort(), fault), fault.force);
};

async function damage({ cluster }: Target, path: string | undefined, where: number) {
  if (path === undefined) return null;
  // It may be a snapshot that was just removed.
  const injury = await flipBit(cluster.options.store, path, where).catch(() => null);
  if (!injury) return null;
  for (const worker of cluster.ofKind('gpu')) {
    const engine = await cluster.engineOf(worker);
    if (engine !== null) process.kill(engine, 'SIGKILL');
  }
  return { what: `${path.split('/').slice(-3).join('/')}, and both engines killed`, over: AT_ONCE, injury };
}

/** @param where in [0, 1): which byte */
export async function flipBit(root: string, path: string, where: number): Promise<Injury> {
  const file = join(root, path);
  const before = await readFile(file);
  const at = Math.floor(where * before.length);
  const handle = await open(file, 'r+');
  try {
    await handle.write(Buffer.from([before[at]! ^ 1]), 0, 1, at);
  } finally {
    await handle.close();
  }
  return { path, content: before };
}

/** Paths of the run's newest files that match, the newest first. */
async function newestOf({ cluster, run }: Target, pattern: RegExp, count: number): Promise<string[]> {
  const { store } = cluster.options;
  const below = join('runs', run);
  const names = (await readdir(join(store, below), { recursive: true })).map(name => join(below, name));
  const files = await Promise.all(
    names
      .filter(name => pattern.test(name) && !name.includes('damaged'))
      .map(async name => ({ name, found: await stat(join(store, name)).catch(() => null) })),
  );
  return files
    .filter(({ found }) => found?.isFile() && found.size > 0)
    .sort((a, b) => b.found!.mtimeMs - a.found!.mtimeMs)
    .slice(0, count)
    .map(({ name }) => name);
}
