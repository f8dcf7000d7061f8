/** Hashes of files and folders on disk. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256 } from './canonical.js';

/** SHA-256 of a file's bytes in hex, streamed. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Paths of all files below `folder`, relative to it with "/", sorted. Links and devices are refused. */
export async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      for (const file of await filesBelow(folder, path)) found.push(file);
    } else if (entry.isFile()) found.push(path);
    else throw new Error(`${join(folder, path)} is neither a file nor a folder: an artifact may hold nothing else`);
  }
  return found.sort();
}

/**
 * SHA-256 of each file below `folder`, by relative path.
 * @param known of files that need not be read for it
 */
export async function fileHashes(
  folder: string,
  known: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of await filesBelow(folder)) hashes[path] = known[path] ?? (await fileHash(join(folder, path)));
  return hashes;
}

/** A folder's hash: SHA-256 over the lines "<sha256 of file>  <relative path>", sorted by path (as sha256sum prints). */
export function folderHash(hashes: Record<string, string>): string {
  const lines = Object.entries(hashes).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sha256(lines.map(([path, hash]) => `${hash}  ${path}\n`).join(''));
}
