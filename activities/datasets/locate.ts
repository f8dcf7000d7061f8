/**
 * The files a source's `path` means: a file, a folder (its files with an ending that is read, by name), a name with `*` in
 * a folder, or any of these on the Hugging Face Hub.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isData, type Located, nothingIn, pattern } from './data-files.js';
import { fetchHubData, type HubDataOptions } from './hub-data.js';
import { DataError } from './records.js';

/** Throws DataError where there is nothing to read. */
export async function locate(path: string, options: HubDataOptions): Promise<Located> {
  if (path.startsWith('hf:')) return fetchHubData(path, options);
  const found = await kindOf(path);
  if (found === 'file') return { source: resolve(path), files: [{ path, name: path }] };
  const [folder, taken] = found === 'folder' ? [path, isData] : [dirname(path), pattern(basename(path))];
  if (!taken || (await kindOf(folder)) !== 'folder') {
    throw new DataError(`${path}: expected a data file, a folder of them, or hf:owner/name/path; there is nothing`);
  }
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter(entry => !entry.isDirectory() && taken(entry.name)).map(entry => entry.name);
  if (names.length === 0)
    throw new DataError(
      nothingIn(
        path,
        entries.map(entry => entry.name),
      ),
    );
  return {
    source: resolve(path),
    files: names.sort().map(name => ({ path: join(folder, name), name: join(folder, name) })),
  };
}

async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
