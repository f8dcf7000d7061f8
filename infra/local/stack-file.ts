/**
 * `<state>/stack.json`: who runs the local stack, where it answers, and which processes belong to it. It is the lock as
 * well: only the process that created it may start a stack on that database.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../../activities/store/index.js';

export interface StackRecord {
  owner: ProcessIdentity;
  /** Null until the stack answers. */
  addresses: StackAddresses | null;
  /** Server and workers, so that what a killed owner left behind can be ended. */
  children: ProcessIdentity[];
}

export interface StackAddresses {
  /** host:port of the server. */
  address: string;
  /** URL of Temporal's web UI. */
  ui: string;
  /** URL of longhaul's own page, where the stack serves it. */
  page?: string;
}

export class StackFile {
  readonly #record: StackRecord = { owner: identify(process.pid)!, addresses: null, children: [] };

  private constructor(readonly path: string) {}

  /** The file, now owned by this process, or the record of the living owner. */
  static async take(path: string): Promise<StackFile | StackRecord> {
    await mkdir(dirname(path), { recursive: true });
    const mine = new StackFile(path);
    for (;;) {
      if (mine.#create()) return mine;
      const found = StackFile.read(path);
      if (found && isAlive(found.owner)) return found;
      if (found) for (const child of found.children) end(child);
      StackFile.#moveAside(path, found);
    }
  }

  /** What the file says now; null when there is none. */
  static read(path: string): StackRecord | null {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as StackRecord;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Records more about the stack; the file is always whole. */
  update(change: Partial<Omit<StackRecord, 'owner'>>): void {
    Object.assign(this.#record, change);
    renameSync(this.#write(), this.path);
  }

  release(): void {
    rmSync(this.path, { force: true });
  }

  /** False when the file is there already. A hard link creates it together with its content. */
  #create(): boolean {
    const temporary = this.#write();
    try {
      linkSync(temporary, this.path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #write(): string {
    const temporary = `${this.path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(this.#record, null, 1)}\n`);
    return temporary;
  }

  /** Removes a dead owner's file, and puts it back if meanwhile it has become a living one's. */
  static #moveAside(path: string, stale: StackRecord | null): void {
    const aside = `${path}.stale-${process.pid}`;
    try {
      renameSync(path, aside);
      const moved = StackFile.read(aside);
      if (moved && moved.owner.started !== stale?.owner.started && isAlive(moved.owner)) linkSync(aside, path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  }
}

/** Ends a process group that a killed owner left behind: nothing is lost, since the server and the store are durable. */
function end(child: ProcessIdentity): void {
  if (!isAlive(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    process.kill(child.pid, 'SIGKILL');
  }
}
