/**
 * Folders of the store as folders on this machine: fetched when asked for, checked each time, and removed again, the least
 * lately used first, when they take more than their bound. Processes of one machine share it.
 */
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { exists } from '../files.js';
import { fileHash, filesBelow } from '../hash.js';
import { sweepUnfinished, workName, writerLives } from '../unfinished.js';

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

export class FolderCache {
  readonly #settings: CacheSettings;
  /** Names of the folders handed out last, the newest at the end. */
  #held: string[] = [];
  /** One at a time in this process: none removes what another is fetching. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: CacheSettings) {
    this.#settings = settings;
  }

  /** Where what is being fetched or made lies until it is whole. */
  get work(): string {
    return join(this.#settings.folder, 'work');
  }

  /** A name of its own in the work folder. */
  async workPath(): Promise<string> {
    await mkdir(this.work, { recursive: true });
    return join(this.work, workName());
  }

  sweep(): Promise<void> {
    return sweepUnfinished(this.work);
  }

  /**
   * A folder with these files, of these hashes.
   * @param name tells it from all others
   * @param fetch gets a file and puts it under a path; throws if it is not as its hash says
   */
  folder(
    name: string,
    hashes: Readonly<Record<string, string>>,
    fetch: (file: string, path: string) => Promise<void>,
  ): Promise<string> {
    const next = this.#last.then(() => this.#folder(name, hashes, fetch));
    this.#last = next.catch(() => {});
    return next;
  }

  async #folder(
    name: string,
    hashes: Readonly<Record<string, string>>,
    fetch: (file: string, path: string) => Promise<void>,
  ): Promise<string> {
    const folder = join(this.#folders, name);
    await mkdir(folder, { recursive: true });
    await this.#hold(name);
    for (const [file, expected] of Object.entries(hashes)) {
      const path = join(folder, file);
      if ((await fileHash(path).catch(() => null)) === expected) continue;
      const fetched = await this.workPath();
      try {
        await fetch(file, fetched);
        await mkdir(dirname(path), { recursive: true });
        await rename(fetched, path);
      } finally {
        await rm(fetched, { force: true });
      }
    }
    const now = new Date();
    await utimes(folder, now, now);
    await this.#shrink();
    return folder;
  }

  get #folders(): string {
    return join(this.#settings.folder, 'folders');
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
    // The writer without what tells its works apart.
    return join(this.#holds, `${WRITER}.${name}`);
  }

  async #shrink(): Promise<void> {
    const held = await this.#heldByAll();
    const found = await Promise.all((await readdir(this.#folders)).map(async name => this.#measured(name)));
    let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of found.sort((a, b) => a.used - b.used)) {
      if (total <= this.#settings.bound) break;
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
    let bytes = 0;
    for (const file of await filesBelow(folder).catch(() => []))
      bytes += (await stat(join(folder, file)).catch(() => ({ size: 0 }))).size;
    const used = (await exists(folder)) ? (await stat(folder)).mtimeMs : 0;
    return { name, bytes, used };
  }
}

const WRITER = workName().split('.').slice(0, 2).join('.');
