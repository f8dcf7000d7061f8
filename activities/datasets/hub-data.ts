/**
 * Data sets on the Hugging Face Hub: `hf:owner/name[@revision][/path]`, a file, a folder or a name with `*`, kept in a
 * cache folder by commit. What was asked for once of a commit is listed beside it, and needs no Hub again.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { COMMIT, Hub, type HubFile, type HubOptions, HubRefusal } from '../engine/files/index.js';
import { isData, type Located, nothingIn, pattern } from './data-files.js';
import { DataError } from './records.js';

export interface HubDataOptions extends HubOptions {
  /** Where data sets from the Hub are kept. */
  cacheDir: string;
}

/** A revision may hold "/" where the Hub itself makes such ones (refs/convert/parquet, refs/pr/7), or written %2F. */
const HUB_DATA =
  /^hf:(?:datasets\/)?(?<name>[\w.-]+\/[\w.-]+)(?:@(?<revision>refs\/(?:convert|pr)\/[\w-]+|[\w.%-]+))?(?:\/(?<path>.*))?$/s;

/** Lists made before they had git's hashes lie in a folder of another name. */
const LISTINGS = 'listings-with-hashes';

interface Wanted {
  name: string;
  revision: string;
  /** Without "/" at its ends; '' for the top. */
  path: string;
}

/**
 * The files, fetched where they are not here.
 * @throws DataError for what no second try mends; the network's own errors otherwise
 */
export async function fetchHubData(written: string, options: HubDataOptions): Promise<Located> {
  const { name, revision, path } = parsed(written);
  const hub = new Hub({ type: 'dataset', name }, options);
  const cached = hub.cacheFolder(options.cacheDir);
  try {
    const commit = COMMIT.test(revision) ? revision : await hub.commitOf(revision);
    const pinned = `hf:${name}@${commit}`;
    const files = await listing(hub, commit, path, join(cached, LISTINGS));
    if (!files) throw new HubRefusal(`${pinned} holds no '${path}'`);
    // A file that was named is taken whatever its ending.
    const named = files.length === 1 && files[0]!.path === path;
    const taken = pattern(posix.basename(path)) ?? isData;
    const data = files.filter(file => named || taken(posix.basename(file.path)));
    if (data.length === 0) throw new HubRefusal(nothingIn(`${pinned}/${path}`));
    data.sort((a, b) => (a.path < b.path ? -1 : 1));
    const directory = join(cached, commit);
    for (const file of data) await hub.fetchFile(commit, file, directory);
    return {
      source: path === '' ? pinned : `${pinned}/${path}`,
      files: data.map(file => ({ path: join(directory, file.path), name: `${pinned}/${file.path}` })),
    };
  } catch (error) {
    const explained = await hub.explained(error, written, cached);
    throw explained instanceof HubRefusal ? new DataError(explained.message) : explained;
  }
}

function parsed(written: string): Wanted {
  const { name, revision = 'main', path = '' } = HUB_DATA.exec(written)?.groups ?? {};
  const segments = path.replace(/\/$/, '').split('/');
  const harmless = path === '' || segments.every(part => !['', '.', '..'].includes(part) && !part.includes('\\'));
  const above = segments.slice(0, -1).some(part => part.includes('*'));
  if (!name || !harmless || above) {
    throw new DataError(
      `data set '${written}': expected hf:owner/name, hf:owner/name/path or hf:owner/name@revision/path, of a file, a folder, ` +
        'or files of a folder with "*" in the name',
    );
  }
  return { name, revision: decoded(revision), path: path === '' ? '' : segments.join('/') };
}

function decoded(revision: string): string {
  try {
    return decodeURIComponent(revision);
  } catch {
    return revision;
  }
}

/** The file at the path, or the files of the folder there; null for nothing. Kept once known: a commit does not change. */
async function listing(hub: Hub, commit: string, path: string, kept: string): Promise<HubFile[] | null> {
  const folder = pattern(posix.basename(path)) ? posix.dirname(path).replace(/^\.$/, '') : path;
  const key = createHash('sha256').update(`${commit}/${folder}`).digest('hex').slice(0, 32);
  const file = join(kept, `${key}.json`);
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (known !== null) return JSON.parse(known) as HubFile[];
  const entry = folder === '' ? { type: 'directory' } : await hub.lookUp(commit, folder);
  if (!entry) return null;
  const files = entry.type === 'file' ? [entry as HubFile] : await hub.files(commit, folder);
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  await writeFile(partial, JSON.stringify(files.map(({ path, size, oid, lfs }) => ({ path, size, oid, lfs }))));
  await rename(partial, file);
  return files;
}
