/** What a Temporal server says of runs, where one answers: the page does without it as well. */
import { Client, Connection } from '@temporalio/client';
import type { Progress } from '../../activities/contract/index.js';
import type { ConnectionSettings } from '../../workers/connection.js';
import { activityNotes } from '../view/activity-notes.js';
import { asking } from '../view/asking.js';

/** A page is not kept waiting for longer. */
const LIMIT_MS = 1500;
/** A server that did not answer is not asked again for so long. */
const PAUSE_MS = 10_000;
const MOST_RUNS = 200;

export interface RunStates {
  /** By run, as Temporal calls them in small letters: running, completed, failed, … */
  states: ReadonlyMap<string, string>;
  /** Why there are none; null if the server answered. */
  note: string | null;
}

export interface LiveRun {
  state: string | null;
  /** Null where no worker answers for the run. */
  progress: Progress | null;
  note: string | null;
}

export interface LiveRuns {
  states(): Promise<RunStates>;
  of(run: string): Promise<LiveRun>;
}

/** For a page over the store alone. */
export const NO_SERVER: LiveRuns = {
  states: async () => ({ states: new Map(), note: null }),
  of: async () => ({ state: null, progress: null, note: null }),
};

export class ServerRuns implements LiveRuns {
  readonly #address: string;
  readonly #connection: Connection;
  readonly #client: Client;
  #pausedUntil = 0;

  constructor({ connection, namespace }: ConnectionSettings) {
    this.#address = connection.address ?? 'localhost:7233';
    this.#connection = Connection.lazy({ ...connection, connectTimeout: LIMIT_MS });
    this.#client = new Client({ connection: this.#connection, namespace });
  }

  async states(): Promise<RunStates> {
    const states = new Map<string, string>();
    const answered = await this.#ask(async () => {
      const query = "WorkflowType = 'curriculum'";
      for await (const { workflowId, status } of this.#client.workflow.list({ query })) {
        // The newest comes first: of one begun again that is the one meant.
        if (!states.has(workflowId)) states.set(workflowId, status.name.toLowerCase());
        if (states.size >= MOST_RUNS) break;
      }
      return true;
    });
    return { states, note: answered ? null : this.#away };
  }

  async of(run: string): Promise<LiveRun> {
    const handle = this.#client.workflow.getHandle(run);
    const { states, note } = await this.states();
    const state = states.get(run) ?? null;
    if (state !== 'running') return { state, progress: null, note };
    const progress = await asking(this.#client, LIMIT_MS)(() => handle.query<Progress>('progress')).catch(() => null);
    if (!progress) return { state, progress, note: 'No worker answers for the run at the moment.' };
    return { state, progress, note: await this.#trackers(progress) };
  }

  /** Which trackers are away. */
  async #trackers({ exporter }: Progress): Promise<string | null> {
    if (exporter === undefined) return null;
    const notes = await asking(this.#client, LIMIT_MS)(() => activityNotes(this.#client, [exporter])).catch(() => null);
    return notes?.retries.join(' ') || null;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Null of a server that does not answer. */
  async #ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (Date.now() < this.#pausedUntil) return null;
    try {
      return await asking(this.#client, LIMIT_MS)(question);
    } catch {
      this.#pausedUntil = Date.now() + PAUSE_MS;
      return null;
    }
  }

  get #away(): string {
    return `No Temporal server answers at ${this.#address}: what is shown is the store alone.`;
  }
}
