/** A store that is a folder, which the workers share. */
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FolderStore } from '../../../activities/store/index.js';
import { type ChaosStore, flipped, type Injury, LOG_FILE, NEWEST } from './chaos-store.js';

export class ChaosFolder implements ChaosStore {
  readonly env = {};

  constructor(readonly address: string) {}

  create(): Promise<void> {
    return new FolderStore(this.address).create();
  }

  async published(run: string): Promise<string[]> {
    return readdir(join(this.address, 'runs', run), { recursive: true }).catch(() => []);
  }

  async newest(run: string, what: 'log' | 'checkpoint'): Promise<string[]> {
    if (what === 'log') return (await this.#newest(run, LOG_FILE)).slice(0, NEWEST);
    const [state] = await this.#newest(run, /\/checkpoints\/[^/]+\/state\.json$/);
    const files = await this.#newest(run, /\/checkpoints\/[^/]+\/[^/]+$/);
    return state ? files.filter(path => path.startsWith(`${dirname(state)}/`)).sort() : [];
  }

  /** It may be a snapshot that was just removed. */
  flipBit(path: string, where: number): Promise<Injury | null> {
    return flipBit(this.address, path, where).catch(() => null);
  }

  /** As when a network file system is unmounted: the store is not at its place, and then it is again. */
  async lose(): Promise<() => Promise<void>> {
    await rename(this.address, `${this.address}.away`);
    // Fails if somebody has begun another store in its place. What an engine was about to save may lie there.
    return async () => {
      await rm(join(this.address, '.work'), { recursive: true, force: true });
      await rename(`${this.address}.away`, this.address);
    };
  }

  async settled(): Promise<string> {
    return this.address;
  }

  async stop(): Promise<void> {}

  /** The newest first. */
  async #newest(run: string, pattern: RegExp): Promise<string[]> {
    const below = join('runs', run);
    const names = (await readdir(join(this.address, below), { recursive: true })).map(name => join(below, name));
    const files = await Promise.all(
      names
        .filter(name => pattern.test(name) && !name.includes('damaged'))
        .map(async name => ({ name, found: await stat(join(this.address, name)).catch(() => null) })),
    );
    return files
      .filter(({ found }) => found?.isFile() && found.size > 0)
      .sort((a, b) => b.found!.mtimeMs - a.found!.mtimeMs)
      .map(({ name }) => name);
  }
}

/** In place, as a disk does it. */
export async function flipBit(root: string, path: string, where: number): Promise<Injury> {
  const file = join(root, path);
  const content = await readFile(file);
  const handle = await open(file, 'r+');
  try {
    await handle.write(flipped(content, where));
  } finally {
    await handle.close();
  }
  return { path, content };
}
