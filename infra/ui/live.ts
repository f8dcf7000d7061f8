/** What a Temporal server says of runs, where one answers: the page does without it as well. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Progress } from '../../activities/contract/index.js';
import type { ConnectionSettings } from '../../workers/connection.js';
import { activityNotes } from '../view/activity-notes.js';
import { asking } from '../view/asking.js';

/** A server that has not answered by then counts as away for the moment. */
const LIMIT_MS = 1500;
/** A page is not kept waiting for longer. */
const PATIENCE_MS = 250;
/** A server that did not answer is not asked again for so long. */
const PAUSE_MS = 10_000;
const MOST_RUNS = 1000;

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
  readonly client: Client;
  readonly #address: string;
  readonly #connection: Connection;
  #pausedUntil = 0;
  #known: RunStates | null = null;
  #asking: Promise<RunStates> | null = null;

  constructor({ connection, namespace }: ConnectionSettings) {
    this.#address = connection.address ?? 'localhost:7233';
    // Nothing is tried again of itself: the page asks again anyway, and a try that is still waiting outlives the connection.
    this.#connection = Connection.lazy({ ...connection, connectTimeout: LIMIT_MS, interceptors: [] });
    this.client = new Client({ connection: this.#connection, namespace });
  }

  /** As the server says now or, where it takes its time, as it said last. */
  async states(): Promise<RunStates> {
    this.#asking ??= this.#states().finally(() => {
      this.#asking = null;
    });
    const waited = sleep(PATIENCE_MS).then(() => this.#known ?? { states: new Map(), note: this.#away });
    return Promise.race([this.#asking, waited]);
  }

  async #states(): Promise<RunStates> {
    const states = new Map<string, string>();
    const answered = await this.#ask(async () => {
      const query = "WorkflowType = 'curriculum'";
      for await (const { workflowId, status } of this.client.workflow.list({ query })) {
        // The newest comes first: of one begun again that is the one meant.
        if (!states.has(workflowId)) states.set(workflowId, status.name.toLowerCase());
        if (states.size >= MOST_RUNS) break;
      }
      return true;
    });
    this.#known = { states, note: answered ? null : this.#away };
    return this.#known;
  }

  async of(run: string): Promise<LiveRun> {
    const handle = this.client.workflow.getHandle(run);
    const { states, note } = await this.states();
    const state = states.get(run) ?? null;
    if (state !== 'running') return { state, progress: null, note };
    const progress = await asking(this.client, LIMIT_MS)(() => handle.query<Progress>('progress')).catch(() => null);
    if (!progress) return { state, progress, note: 'No worker answers for the run at the moment.' };
    return { state, progress, note: await this.#trackers(progress) };
  }

  /** Which trackers are away. */
  async #trackers({ exporter }: Progress): Promise<string | null> {
    if (exporter === undefined) return null;
    const notes = await asking(this.client, LIMIT_MS)(() => activityNotes(this.client, [exporter])).catch(() => null);
    return notes?.retries.join(' ') || null;
  }

  async close(): Promise<void> {
    await this.#asking?.catch(() => {});
    await this.#connection.close();
  }

  /** Null of a server that does not answer. */
  async #ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (Date.now() < this.#pausedUntil) return null;
    try {
      return await asking(this.client, LIMIT_MS)(question);
    } catch {
      this.#pausedUntil = Date.now() + PAUSE_MS;
      return null;
    }
  }

  get #away(): string {
    return `No Temporal server answers at ${this.#address}: what is shown is the store alone.`;
  }
}
