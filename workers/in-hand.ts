/**
 * What the workers of a machine have in hand, a file an activity, so that what one loses that is killed is handed back at
 * once by another or by its successor. The server by itself learns of it from silence alone, a heartbeat time-out later.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { identify, isAlive, type ProcessIdentity } from '../activities/store/index.js';

const LOOK_MS = 1000;

/** An activity that a worker has in hand. */
export interface Note {
  owner: ProcessIdentity;
  /** Process numbers mean nothing elsewhere, where the folder is shared. */
  host: string;
  /** Address and namespace. */
  server: string;
  activity: string;
  taskToken: string;
}

export class InHand {
  readonly #owner = identify(process.pid)!;
  #written = 0;

  /**
   * @param folder the machine's own, created on first use
   * @param server whose activities these are: its address and namespace
   */
  constructor(
    readonly folder: string,
    readonly server: string,
  ) {}

  /** Writes down each activity for as long as this worker has it. */
  readonly interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        const { activityType: activity, taskToken } = info;
        const { server } = this;
        const token = Buffer.from(taskToken).toString('base64');
        const note: Note = { owner: this.#owner, host: hostname(), server, activity, taskToken: token };
        const file = join(this.folder, `${this.#owner.pid}-${++this.#written}.json`);
        // Without the note the work is done as well: what is lost then is found out later.
        await this.#write(file, note).catch(() => {});
        try {
          return await next(input);
        } finally {
          await rm(file, { force: true });
        }
      },
    },
  });

  /** Hands back what dead workers had in hand, now and from time to time, until it is stopped. */
  async watch(activities: AsyncCompletionClient, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.handBack(activities).catch(() => {}); // The server is away: tried again with the next look.
      await sleep(LOOK_MS, undefined, { signal: stop, ref: false }).catch(() => {});
    }
  }

  /** @returns how many activities were handed back; those that had ended, or gone to another by time-out, not counted */
  async handBack(activities: AsyncCompletionClient): Promise<number> {
    let handedBack = 0;
    for (const name of await readdir(this.folder).catch(() => [])) {
      const file = join(this.folder, name);
      const note = await read(file);
      if (!note || note.host !== hostname() || note.server !== this.server || isAlive(note.owner)) continue;
      if (await handBackOne(activities, note)) handedBack++;
      await rm(file, { force: true });
    }
    return handedBack;
  }

  async #write(file: string, note: Note): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(file, JSON.stringify(note));
  }
}

/** All that the workers of a folder have in hand, and what those had that are gone. */
export async function notesIn(folder: string): Promise<Note[]> {
  const names = await readdir(folder).catch(() => []);
  const notes = await Promise.all(names.map(name => read(join(folder, name))));
  return notes.filter(note => note !== null);
}

async function handBackOne(activities: AsyncCompletionClient, note: Note): Promise<boolean> {
  const lost = ApplicationFailure.create({
    message: `The worker that had it in hand (process ${note.owner.pid} on ${note.host}) is gone.`,
    type: 'WorkerLost',
    nextRetryDelay: '100 milliseconds',
  });
  try {
    await activities.fail(Buffer.from(note.taskToken, 'base64'), lost);
    return true;
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return false;
    throw error;
  }
}

/** Null for what is gone by now, or not whole: its writer was killed at it. */
async function read(file: string): Promise<Note | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Note;
  } catch {
    return null;
  }
}
