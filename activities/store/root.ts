/**
 * A store's root folder, which a file in it tells from the empty folder that is left where a disk is not mounted, and from
 * one that a later version laid out.
 */
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { exists, sync } from './files.js';
import { StoreAwayError, StoreFormatError, StoreMissingError } from './store.js';

const MARK = '.longhaul-store';
/** Of the layout beneath. */
const FORMAT = 1;

export class StoreRoot {
  readonly path: string;
  /** Whether it was found, or made, before. */
  #known = false;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /**
   * Before anything is written: makes the root the first time.
   * @throws StoreAwayError when it was there and is not any more; StoreFormatError
   */
  async ready(): Promise<void> {
    const text = await this.#mark();
    if (text === null) {
      if (this.#known) throw new StoreAwayError(this.path);
      await this.#make();
    } else if (!this.#known) this.#checkFormat(text);
    this.#known = true;
  }

  /**
   * Before work begins that takes the store to be there: never makes one.
   * @throws StoreMissingError, StoreFormatError
   */
  async found(): Promise<void> {
    // Of earlier versions, which left no mark.
    if ((await this.#mark()) === null && !(await exists(join(this.path, 'runs'))))
      throw new StoreMissingError(this.path);
    await this.ready();
  }

  /** Makes folders below the root, `mkdir -p` that stops at the root. New ones survive a power cut. */
  async makeFolder(path: string): Promise<void> {
    if (await exists(path)) return;
    if (path === this.path) throw new StoreAwayError(this.path);
    await this.makeFolder(dirname(path));
    await mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await sync(dirname(path));
  }

  /** Before something is said to be absent. Throws StoreAwayError when all of it is. */
  async there(): Promise<void> {
    if (this.#known && (await this.#mark()) === null) throw new StoreAwayError(this.path);
  }

  async #mark(): Promise<string | null> {
    return readFile(join(this.path, MARK), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    });
  }

  async #make(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    try {
      const file = await open(join(this.path, MARK), 'wx');
      try {
        await file.writeFile(`${JSON.stringify({ format: FORMAT })}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      // Another worker was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  /** Nothing yet, or half of it: another process is writing it at this moment, as this version would. */
  #checkFormat(text: string): void {
    const [, found] = /"format":\s*(\d+)/.exec(text) ?? [];
    if (found !== undefined && Number(found) > FORMAT) throw new StoreFormatError(this.path, Number(found), FORMAT);
  }
}
