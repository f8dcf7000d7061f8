/** What the workflows of a run went through, from their histories on the server: who did what when, and what went wrong. */
import type { Client } from '@temporalio/client';
import { asking } from '../view/asking.js';
import {
  type Chapter,
  chapterOf,
  type HistoryEvent,
  type RunMark,
  type Span,
  type TimedEvent,
} from './history-events.js';
import { Recent } from './recent.js';

export interface RunHistory {
  spans: Span[];
  events: TimedEvent[];
  marks: RunMark[];
  /** Why there is no more. */
  note: string | null;
}

export interface RunHistories {
  /** All that there is, read now where it is not known yet. */
  of(run: string): Promise<RunHistory>;
  /** What is known by now; more is read meanwhile. */
  known(run: string): Promise<RunHistory>;
}

const NOTHING: RunHistory = { spans: [], events: [], marks: [], note: null };

/** For a page over the store alone. */
export const NO_HISTORIES: RunHistories = {
  of: async () => ({ ...NOTHING, note: 'No server was asked for histories.' }),
  known: async () => NOTHING,
};

const LIMIT_MS = 20_000;
const RUNS = 16;
/** Of one run, those that came after each other counted each. */
const MOST_EXECUTIONS = 120;
/** A history that may grow is read again after this time. */
const FRESH_MS = 5000;

export class ServerHistories implements RunHistories {
  readonly #known = new Recent<{ at: number; history: RunHistory }>(RUNS);
  readonly #closed = new Recent<Chapter>(MOST_EXECUTIONS * RUNS);
  readonly #reading = new Map<string, Promise<RunHistory>>();

  constructor(private readonly client: Client) {}

  async of(run: string): Promise<RunHistory> {
    const known = this.#known.get(run);
    return known && Date.now() - known.at < FRESH_MS ? known.history : this.#read(run);
  }

  async known(run: string): Promise<RunHistory> {
    void this.of(run).catch(() => {});
    return this.#known.get(run)?.history ?? NOTHING;
  }

  #read(run: string): Promise<RunHistory> {
    const present = this.#reading.get(run);
    if (present) return present;
    const reading = this.#readAll(run).finally(() => this.#reading.delete(run));
    this.#reading.set(run, reading);
    return reading;
  }

  async #readAll(run: string): Promise<RunHistory> {
    const chapters: Chapter[] = [];
    let note: string | null = null;
    try {
      const left: { id: string; runId?: string }[] = [{ id: run }];
      for (let at = left.shift(); at; at = left.shift()) {
        if (chapters.length === MOST_EXECUTIONS) {
          note = `Only the first ${MOST_EXECUTIONS} executions of its workflows are shown.`;
          break;
        }
        const chapter = await this.#chapter(at.id, at.runId);
        chapters.push(chapter);
        left.unshift(...chapter.next);
      }
    } catch (error) {
      note = missingNote(error as Error & { code?: unknown }, chapters.length > 0);
    }
    const history = {
      spans: chapters.flatMap(({ spans }) => spans).sort((a, b) => a.from - b.from),
      events: chapters.flatMap(({ events }) => events).sort((a, b) => a.time - b.time),
      marks: chapters.flatMap(({ marks }) => marks),
      note,
    };
    this.#known.set(run, { at: Date.now(), history });
    return history;
  }

  async #chapter(id: string, runId: string | undefined): Promise<Chapter> {
    const closed = runId === undefined ? undefined : this.#closed.get(`${id}/${runId}`);
    if (closed) return closed;
    const handle = this.client.workflow.getHandle(id, runId);
    const { events } = await asking(this.client, LIMIT_MS)(() => handle.fetchHistory());
    const chapter = chapterOf(id, (events ?? []) as HistoryEvent[]);
    if (chapter.isClosed && runId !== undefined) this.#closed.set(`${id}/${runId}`, chapter);
    return chapter;
  }
}

/** gRPC's deadline and unavailability. */
const AWAY: unknown[] = [4, 14];

/** @param isBegun whether a part of the history is there */
function missingNote({ code, message }: Error & { code?: unknown }, isBegun: boolean): string {
  const why = AWAY.includes(code) ? 'no Temporal server answers' : message.split('\n')[0];
  return `There is no history of this run${isBegun ? ' beyond this' : ''}: ${why}.`;
}
