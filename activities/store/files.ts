/** Small things that the store does with files. */
import { open, stat } from 'node:fs/promises';

/** Flushes a file, or a folder's entries, to the disk. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return false;
    throw error;
  }
}

export function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** Runs a placing operation; false if something already lies there. */
export async function unlessThere(place: () => Promise<void>): Promise<boolean> {
  return unlessCode(place, ['EEXIST', 'ENOTEMPTY']);
}

/** Moves or removes something; false if it is not there. */
export async function unlessGone(take: () => Promise<void>): Promise<boolean> {
  return unlessCode(take, ['ENOENT']);
}

async function unlessCode(work: () => Promise<void>, codes: readonly string[]): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (codes.some(code => isCode(error, code))) return false;
    throw error;
  }
}
