/**
 * Folders of the store as folders on this machine: fetched when asked for, checked each time, and removed again, the least
 * lately used first, when they take more than their bound. Processes of one machine share it.
 *
 *   folders/<name>    files that are whole
 *   partial/…         what has come of others: their hash is in their name, and whoever comes next goes on with it
 *   work/…            what is being made
 *   held/…            which folders a process was handed
 */
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { exists } from '../files.js';
import { fileHash, filesBelow } from '../hash.js';
import { StoreAwayError } from '../store.js';
import { letGo, sweepUnfinished, workName, writerLives, writerName } from '../unfinished.js';
import { journalOf } from './downloads.js';

const GIGABYTE = 1e9;
const DEFAULT_GIGABYTES = 100;
/** Folders that a process was handed last, which are not removed while it lives. */
const HELD = 5;

export interface CacheSettings {
  folder: string;
  /** Bytes of all that is kept; what is in use may go beyond. */
  bound: number;
}

/** @throws RangeError for a bound that is no number of gigabytes */
export function cacheSettings(environment: NodeJS.ProcessEnv): CacheSettings {
  const typed = environment.LONGHAUL_STORE_CACHE_GB || String(DEFAULT_GIGABYTES);
  const gigabytes = Number(typed);
  if (!(gigabytes >= 0)) throw new RangeError(`LONGHAUL_STORE_CACHE_GB=${typed}: expected a number of gigabytes`);
  const caches = environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache');
  return {
    folder: environment.LONGHAUL_STORE_CACHE || join(caches, 'longhaul', 'store'),
    bound: gigabytes * GIGABYTE,
  };
}

/** By path within a folder. */
export type CachedFiles = Readonly<Record<string, { sha256: string; bytes: number }>>;

/**
 * Gets a file and puts it under a path, where the beginning of it may lie; throws if it is not as its hash says. What a
 * StoreAwayError leaves there is kept for the next time.
 */
export type Fetch = (file: string, path: string) => Promise<void>;

export class FolderCache {
  readonly #settings: CacheSettings;
  /** Names of the folders handed out last, the newest at the end. */
  #held: string[] = [];
  /** One at a time in this process: none removes what another is fetching. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: CacheSettings) {
    this.#settings = settings;
  }

  get work(): string {
    return join(this.#settings.folder, 'work');
  }

  /** A name of its own in the work folder. */
  async workPath(): Promise<string> {
    await mkdir(this.work, { recursive: true });
    return join(this.work, workName());
  }

  /** @param kept for so many milliseconds what has come of a file is kept for whoever goes on with it */
  async sweep(kept: number): Promise<void> {
    await sweepUnfinished(this.work);
    await sweepUnfinished(this.#partial, kept);
  }

  /** A folder with these files. */
  folder(name: string, files: CachedFiles, fetch: Fetch): Promise<string> {
    const next = this.#last.then(() => this.#folder(name, files, fetch));
    this.#last = next.catch(() => {});
    return next;
  }

  async #folder(name: string, files: CachedFiles, fetch: Fetch): Promise<string> {
    const folder = join(this.#folders, name);
    await mkdir(folder, { recursive: true });
    await this.#hold(name);
    const missing: string[] = [];
    for (const [file, { sha256 }] of Object.entries(files))
      if ((await fileHash(join(folder, file)).catch(() => null)) !== sha256) missing.push(file);
    await this.#shrink(missing.reduce((sum, file) => sum + files[file]!.bytes, 0));
    for (const file of missing) {
      const path = join(folder, file);
      await this.#fetched(files[file]!.sha256, async fetched => {
        await fetch(file, fetched);
        await mkdir(dirname(path), { recursive: true });
        await rename(fetched, path);
      });
    }
    const now = new Date();
    await utimes(folder, now, now);
    return folder;
  }

  /** With a path that holds what has come of the file before. */
  async #fetched(sha256: string, fetch: (path: string) => Promise<void>): Promise<void> {
    const work = workName();
    const path = join(this.#partial, `${work}.${sha256}`);
    await mkdir(this.#partial, { recursive: true });
    await this.#takeOver(sha256, path);
    try {
      await fetch(path);
    } catch (error) {
      if (error instanceof StoreAwayError) letGo(work);
      else for (const file of [journalOf(path), path]) await rm(file, { force: true });
      throw error;
    }
  }

  /** What was left by one who goes on no more. A journal without its file, and a file without its journal, are nothing. */
  async #takeOver(sha256: string, path: string): Promise<void> {
    for (const name of await readdir(this.#partial)) {
      if (!name.endsWith(`.${sha256}`) || writerLives(name) !== false) continue;
      const left = join(this.#partial, name);
      // Another process may be quicker.
      const taken = await rename(left, path).then(
        () => true,
        () => false,
      );
      if (!taken) continue;
      await rename(journalOf(left), journalOf(path)).catch(() => {});
      return;
    }
  }

  get #folders(): string {
    return join(this.#settings.folder, 'folders');
  }

  get #partial(): string {
    return join(this.#settings.folder, 'partial');
  }

  get #holds(): string {
    return join(this.#settings.folder, 'held');
  }

  /** Keeps other processes from removing a folder; lets go of the one that was handed out longest ago. */
  async #hold(name: string): Promise<void> {
    this.#held = [...this.#held.filter(held => held !== name), name];
    await mkdir(this.#holds, { recursive: true });
    await writeFile(this.#holdOf(name), '');
    for (const old of this.#held.splice(0, this.#held.length - HELD)) await rm(this.#holdOf(old), { force: true });
  }

  #holdOf(name: string): string {
    return join(this.#holds, `${writerName()}.${name}`);
  }

  /** @param coming bytes that room is made for, before they are fetched */
  async #shrink(coming: number): Promise<void> {
    const held = await this.#heldByAll();
    const found = await Promise.all((await readdir(this.#folders)).map(async name => this.#measured(name)));
    const partial = await bytesBelow(this.#partial);
    let total = found.reduce((sum, { bytes }) => sum + bytes, coming + partial);
    for (const { name, bytes } of found.sort((a, b) => a.used - b.used)) {
      if (total <= this.#settings.bound) return;
      if (held.has(name)) continue;
      const away = await this.workPath();
      await rename(join(this.#folders, name), away).catch(() => {}); // another process was quicker
      await rm(away, { recursive: true, force: true });
      total -= bytes;
    }
  }

  /** Of all processes that live. */
  async #heldByAll(): Promise<Set<string>> {
    const held = new Set<string>();
    for (const entry of await readdir(this.#holds)) {
      const [place, writer, ...name] = entry.split('.');
      if (writerLives(`${place}.${writer}.`) === false) await rm(join(this.#holds, entry), { force: true });
      else held.add(name.join('.'));
    }
    return held;
  }

  async #measured(name: string): Promise<{ name: string; bytes: number; used: number }> {
    const folder = join(this.#folders, name);
    const used = (await exists(folder)) ? (await stat(folder)).mtimeMs : 0;
    return { name, bytes: await bytesBelow(folder), used };
  }
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await filesBelow(folder).catch(() => []))
    bytes += (await stat(join(folder, file)).catch(() => ({ size: 0 }))).size;
  return bytes;
}
