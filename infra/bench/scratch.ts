/** Folders for what a benchmark writes, on the disk that the local stack's store and database are on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_STATE } from '../checkout.js';
import { atExit } from '../local/at-exit.js';

/** Runs `use` with a new folder, which is removed afterwards, also when this process is told to end meanwhile. */
export async function withScratch<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(DEFAULT_STATE, 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forget = atExit(remove);
  try {
    return await use(folder);
  } finally {
    forget();
    remove();
  }
}
