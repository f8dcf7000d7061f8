/** What model, adapter and optimiser folders are read and written with. */
import { access, mkdir, open, readdir } from 'node:fs/promises';
import { EngineRequestError } from '../protocol/index.js';

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Makes the folder; @throws EngineRequestError where it is there and not empty. */
export async function newFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const present = await readdir(directory);
  if (present.length > 0) {
    throw new EngineRequestError(`${directory}: already holds ${present[0]}; expected a new or empty folder`);
  }
}

/** Writes into a folder. Throws EngineRequestError (storage) if that is taken away meanwhile, as with its disk. */
export async function whileThere<T>(directory: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new EngineRequestError(
      `${directory}: was taken away while it was written: is its disk still there?`,
      'storage',
    );
  }
}

/** Flushes the folder's own entries, without which a new file can be lost though its content is on the disk. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows has no such operation: it cannot open a folder.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a whole file and flushes it to the disk. */
export async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
