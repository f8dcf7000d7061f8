/** Folders that appear whole or not at all. */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../user-error.js';

/** @throws UserError if the folder is there and not empty */
export async function expectNew(output: string, flag: string): Promise<void> {
  const present = await readdir(output).catch(() => []);
  if (present.length > 0)
    throw new UserError(`${output}: already holds ${present[0]}; expected a new or empty folder (${flag}).`);
}

/**
 * Has `work` fill a folder beside `output`, which takes its place once `work` is done.
 * @param work gets a path at which there is nothing yet
 * @throws UserError if there is something in `output`, or no place beside it
 */
export async function inNewFolder<T>(
  output: string,
  flag: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  await expectNew(output, flag);
  const parent = await mkdtemp(join(dirname(output), '.longhaul-')).catch(error => {
    throw new UserError(`${dirname(output)}: cannot be written to (${(error as Error).message}).`);
  });
  try {
    const directory = join(parent, 'result');
    const result = await work(directory);
    await rename(directory, output);
    return result;
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}
