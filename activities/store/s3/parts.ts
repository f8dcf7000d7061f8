/**
 * The files of published folders. Each publication uploads its own, below the folder's hash and a name of its own, and its
 * manifest says where they are: so whoever removes one takes no file from another, and what a killed publisher leaves is
 * seen by nobody. What is begun is noted before, and the note removed after, for the sweep to know.
 */
import { join } from 'node:path';
import { folderHash } from '../hash.js';
import { ABANDONED_MS, workName, writerLives } from '../unfinished.js';
import type { S3Bucket } from './bucket.js';

const NOTES = 'unfinished/';

/** What stands for a folder: published by the creation of this one object. */
export interface Manifest {
  /** Where its files are: the beginning of their keys, without the "/" at its end. */
  parts: string;
  files: Record<string, { sha256: string; bytes: number }>;
}

/** What is begun: files that are being uploaded, or removed. */
interface Note {
  parts: string;
  /** The objects that are, or were, the manifest. */
  keys: string[];
}

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 1)}\n`;

/** Null for a text that is no manifest of that folder. */
export function readManifest(text: string, sha256: string): Manifest | null {
  try {
    const manifest = JSON.parse(text) as Manifest;
    return folderHash(hashesOf(manifest)) === sha256 ? manifest : null;
  } catch {
    return null;
  }
}

export function hashesOf({ files }: Manifest): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([file, { sha256 }]) => [file, sha256]));
}

export const partKey = ({ parts }: Manifest, file: string): string => `${parts}/${file}`;

/** Notes what is begun, for `use`, and removes the note when that is done; a failure leaves it to be swept. */
export async function withNote<T>(
  bucket: S3Bucket,
  keys: string[],
  partsOf: (work: string) => string,
  use: (parts: string) => Promise<T>,
): Promise<T> {
  const work = workName();
  const parts = partsOf(work);
  await bucket.write(NOTES + work, JSON.stringify({ parts, keys } satisfies Note));
  const result = await use(parts);
  await bucket.delete(NOTES + work);
  return result;
}

/** Uploads the files of a folder, all or none. Throws when one is not what its writer says it is. */
export async function uploadParts(bucket: S3Bucket, folder: string, manifest: Manifest): Promise<void> {
  try {
    for (const [file, { sha256 }] of Object.entries(manifest.files)) {
      const sent = await bucket.upload(partKey(manifest, file), join(folder, file));
      if (sent !== sha256)
        throw new Error(
          `${join(folder, file)}: read with sha256 ${sent}, but written with ${sha256}: this machine's disk damages files`,
        );
    }
  } catch (error) {
    // What cannot be removed now is swept later.
    await removeParts(bucket, manifest.parts).catch(() => {});
    throw error;
  }
}

export const removeParts = (bucket: S3Bucket, parts: string): Promise<void> => bucket.deleteBelow(`${parts}/`);

/** The first file that is not as it was published; null when all are. */
export async function damagedPart(bucket: S3Bucket, manifest: Manifest): Promise<string | null> {
  for (const [file, { sha256 }] of Object.entries(manifest.files))
    if ((await bucket.download(partKey(manifest, file))) !== sha256) return file;
  return null;
}

/** Removes what killed writers left: the files of publications and removals that did not end. */
export async function sweepParts(bucket: S3Bucket): Promise<void> {
  if (await bucket.isEmpty(NOTES)) return;
  // The server's time, not this machine's.
  const probe = NOTES + workName();
  await bucket.write(probe, JSON.stringify({ parts: '', keys: [] } satisfies Note));
  const notes = await bucket.below(NOTES);
  await bucket.delete(probe);
  const now = notes.find(({ key }) => key === probe)?.modified.getTime() ?? 0;
  for (const { key, modified } of notes) {
    if (key === probe) continue;
    if (writerLives(key.slice(NOTES.length)) ?? now - modified.getTime() < ABANDONED_MS) continue;
    await sweepNote(bucket, key);
  }
}

async function sweepNote(bucket: S3Bucket, note: string): Promise<void> {
  const found = await bucket.get(note);
  if (!found) return;
  const { parts, keys } = JSON.parse(found.body.toString('utf8')) as Note;
  if (parts !== '' && !(await isReferred(bucket, parts, keys))) await removeParts(bucket, parts);
  await bucket.delete(note);
}

async function isReferred(bucket: S3Bucket, parts: string, keys: string[]): Promise<boolean> {
  for (const key of keys) {
    const there = await bucket.get(key);
    // A manifest that cannot be read may be this one.
    if (there?.body.includes(JSON.stringify(parts)) || (there && !isJson(there.body))) return true;
  }
  return false;
}

function isJson(body: Buffer): boolean {
  try {
    return Boolean(JSON.parse(body.toString('utf8')));
  } catch {
    return false;
  }
}
