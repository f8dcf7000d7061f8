/**
 * The files of published folders. Each publication uploads its own, below the folder's hash and a name of its own, and its
 * manifest says where they are: so whoever removes one takes no file from another, and what a killed publisher leaves is
 * seen by nobody, until the next publisher of the same goes on with it.
 */
import { join } from 'node:path';
import { folderHash } from '../hash.js';
import { inParallel } from '../in-parallel.js';
import { StoreAwayError } from '../store.js';
import type { S3Bucket } from './bucket.js';
import { type Note, Notes } from './notes.js';
import { isSmall, SMALL_AT_ONCE } from './pieces.js';

/** What a killed publisher leaves is kept so long for its successor. */
export const KEPT_MS = 24 * 60 * 60 * 1000;

/** What stands for a folder: published by the creation of this one object. */
export interface Manifest {
  /** Where its files are: the beginning of their keys, without the "/" at its end. */
  parts: string;
  files: Record<string, { sha256: string; bytes: number }>;
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

export const partKey = ({ parts }: Pick<Manifest, 'parts'>, file: string): string => `${parts}/${file}`;

export class Parts {
  readonly #bucket: S3Bucket;
  readonly #notes: Notes;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
    this.#notes = new Notes(bucket);
  }

  /**
   * Uploads the files of a folder, for `place` to publish their manifest; what another left of the same is gone on with.
   * @param keys of the objects that the manifest may become, the one that it should be first
   * @param place gives the parts that the published manifest refers to, which may be those of another
   */
  async publish(
    folder: string,
    hash: string,
    files: Manifest['files'],
    keys: string[],
    place: (manifest: Manifest) => Promise<string | undefined>,
  ): Promise<void> {
    const left = await this.#left(`parts/${hash}/`, keys[0]!);
    const note = left ?? (await this.#notes.begin(work => `parts/${hash}/${work}`, keys));
    try {
      await this.#upload(folder, { parts: note.parts, files }, left !== null);
    } catch (error) {
      if (error instanceof StoreAwayError) this.#notes.leave(note);
      else await this.#giveUp(note);
      throw error;
    }
    // Where this throws it is not known what refers to the files: the sweep finds out.
    const placed = await place({ parts: note.parts, files }).catch((error: unknown) => {
      this.#notes.leave(note);
      throw error;
    });
    if (placed !== note.parts) await this.remove(note.parts);
    await this.#notes.end(note);
  }

  /** @param take takes away what refers to the parts; whether it did */
  async withdraw(parts: string, key: string, take: () => Promise<boolean>): Promise<boolean> {
    const note = await this.#notes.begin(() => parts, [key]);
    try {
      const taken = await take();
      if (taken) await this.remove(parts);
      await this.#notes.end(note);
      return taken;
    } catch (error) {
      this.#notes.leave(note);
      throw error;
    }
  }

  remove(parts: string): Promise<void> {
    return this.#bucket.deleteBelow(`${parts}/`);
  }

  /** The first file that is not as it was published; null when all are. */
  async damaged(manifest: Manifest): Promise<string | null> {
    for (const [file, { sha256 }] of Object.entries(manifest.files))
      if ((await this.#bucket.downloads.hash(partKey(manifest, file))) !== sha256) return file;
    return null;
  }

  /**
   * Removes what killed writers left: the files of publications and removals that did not end, and their uploads.
   * @param kept for so many milliseconds it is kept for a successor
   */
  async sweep(kept: number): Promise<void> {
    // First these: a note is written before its uploads begin.
    const uploads = await this.#bucket.uploads.unfinished('parts/');
    const noted = (await this.#notes.all()).map(({ parts }) => `${parts}/`);
    for (const upload of uploads)
      if (!noted.some(parts => parts !== '/' && upload.key.startsWith(parts))) await this.#bucket.uploads.abort(upload);
    for (const found of await this.#notes.abandoned(kept)) {
      const note = await this.#notes.takeOver(found);
      if (!note) continue;
      if (note.parts !== '' && !(await this.#isReferred(note))) await this.remove(note.parts);
      await this.#notes.end(note);
    }
  }

  /** What is begun, with the bytes and open uploads of its files. */
  async unfinished(): Promise<(Note & { bytes: number; uploads: number })[]> {
    const found: (Note & { bytes: number; uploads: number })[] = [];
    for (const note of await this.#notes.all()) {
      if (note.parts === '') continue;
      const below = await this.#bucket.below(`${note.parts}/`);
      const uploads = await this.#bucket.uploads.unfinished(`${note.parts}/`);
      let bytes = below.reduce((sum, object) => sum + object.bytes, 0);
      for (const upload of uploads) bytes += await this.#bucket.uploads.sentOf(upload);
      found.push({ ...note, bytes, uploads: uploads.length });
    }
    return found;
  }

  /** What another publisher of the same left, of those that live no more: now this one's. */
  async #left(parts: string, key: string): Promise<Note | null> {
    for (const found of await this.#notes.all()) {
      if (found.writerLives !== false || !found.parts.startsWith(parts) || found.keys[0] !== key) continue;
      const note = await this.#notes.takeOver(found);
      // A removal that did not end: what it had not come to is still referred to.
      if (note && !(await this.#isReferred(note))) return note;
      if (note) await this.#notes.end(note);
    }
    return null;
  }

  async #upload(folder: string, { parts, files }: Manifest, resumed: boolean): Promise<void> {
    const all = Object.entries(files).map(([file, told]) => ({
      ...{ key: partKey({ parts }, file), path: join(folder, file) },
      ...told,
    }));
    const [small, large] = [all.filter(({ bytes }) => isSmall(bytes)), all.filter(({ bytes }) => !isSmall(bytes))];
    const send = (file: (typeof all)[number]) => this.#bucket.uploads.send(file, resumed);
    await inParallel(small, SMALL_AT_ONCE, send);
    // These have pieces to send at once.
    for (const file of large) await send(file);
  }

  /** What cannot be removed now is swept later. */
  async #giveUp(note: Note): Promise<void> {
    try {
      await this.remove(note.parts);
      await this.#notes.end(note);
    } catch {
      this.#notes.leave(note);
    }
  }

  async #isReferred({ parts, keys }: Note): Promise<boolean> {
    for (const key of keys) {
      const there = await this.#bucket.get(key);
      // A manifest that cannot be read may be this one.
      if (there?.body.includes(JSON.stringify(parts)) || (there && !isJson(there.body))) return true;
    }
    return false;
  }
}

function isJson(body: Buffer): boolean {
  try {
    return Boolean(JSON.parse(body.toString('utf8')));
  } catch {
    return false;
  }
}
