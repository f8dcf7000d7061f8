/** Folders for what a benchmark writes, on the disk that the local stack's store and database are on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_STATE } from '../checkout.js';

/** Runs `use` with a new folder, which is removed afterwards, also when this process is told to end meanwhile. */
export async function withScratch<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(DEFAULT_STATE, 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await use(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
