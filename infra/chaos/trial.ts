/** Runs of one spec under faults: begun, watched, struck, and followed to their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCause } from '@temporalio/common';
import { type Progress, TASK_QUEUE } from '../../activities/contract/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import { asking } from '../view/asking.js';
import type { Cluster } from './cluster.js';
import { FAULT_KINDS } from './faults/index.js';
import { type FaultRecord, faultLine, load } from './report.js';
import type { Fault } from './schedule.js';
import type { ChaosStore, Injury } from './stores/chaos-store.js';
import { isDone, published, untilPublished } from './watch.js';

/** Beyond it a run counts as stuck. Far more than any recovery takes, also on a machine that has other work. */
const PATIENCE_MS = 300_000;
/** Artifacts that are progress. Two: one may have been on its way when the fault struck. */
export const PROGRESS = 2;
/** So that a look at a run that does not answer does not count as its recovery. */
const ANSWER_LIMIT_MS = 2000;

/** What a trial that was broken off goes on from, on a cluster with the same state: all but damage to files. */
export interface TrialSoFar {
  records: FaultRecord[];
  /** The last one may be under way. */
  runs: { run: string; seconds: number }[];
  /** Of the trial's own time. */
  seconds: number;
}

export interface TrialSettings {
  /** Milliseconds without an artifact after which a run counts as stuck. */
  patienceMs?: number;
  /** Milliseconds since 1970: from then on no fault strikes, and no end is waited for. */
  until?: number;
  soFar?: TrialSoFar | null;
}

/** Runs of one spec after another on a cluster, and what strikes them. */
export class Trial {
  readonly records: FaultRecord[];
  readonly injuries = new Map<number, Injury>();
  readonly runs: { run: string; seconds: number }[];
  /** Why it went no further; null while it goes on. */
  stuck: string | null = null;
  /** Whether its time was over before all was done. */
  paused = false;
  readonly patienceMs: number;
  readonly #until: number;
  readonly #store: ChaosStore;
  readonly #began: number;
  #runBegan: number;

  constructor(
    readonly cluster: Cluster,
    readonly spec: RunSpec,
    readonly say: (line: string) => void,
    { patienceMs = PATIENCE_MS, until = Number.POSITIVE_INFINITY, soFar = null }: TrialSettings = {},
  ) {
    this.#store = cluster.store;
    this.patienceMs = patienceMs;
    this.#until = until;
    this.records = [...(soFar?.records ?? [])];
    this.runs = [...(soFar?.runs ?? [])];
    this.#began = Date.now() - 1000 * (soFar?.seconds ?? 0);
    this.#runBegan = Date.now() - 1000 * (this.runs.at(-1)?.seconds ?? 0);
  }

  get soFar(): TrialSoFar {
    const { records, runs } = this;
    return { records, runs, seconds: (Date.now() - this.#began) / 1000 };
  }

  get #run(): string | undefined {
    return this.runs.at(-1)?.run;
  }

  async begin(run: string): Promise<void> {
    this.runs.push({ run, seconds: 0 });
    this.#runBegan = Date.now();
    await persistently(() =>
      this.cluster.client.workflow.start('curriculum', {
        taskQueue: TASK_QUEUE,
        workflowId: run,
        args: [this.spec],
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    );
  }

  /**
   * Waits until the run under way has published so much more, and lets the fault strike. False when the run is stuck or the
   * trial's time over.
   */
  async strike(fault: Fault): Promise<boolean> {
    while (!this.#over(this.#until)) {
      const run = await this.#runUnderWay();
      if (run === null) return false;
      const { length } = await published(this.#store, run);
      if (!(await this.#progress(run, length + fault.after, this.#until))) return false;
      await sleep(fault.delayMs);
      const before = await published(this.#store, run);
      if (isDone(before)) continue;
      const struckAt = Date.now();
      const strike = await FAULT_KINDS[fault.kind]!({ cluster: this.cluster, run }, fault);
      if (!strike) {
        await sleep(200);
        continue;
      }
      const record: FaultRecord = {
        number: fault.number,
        kind: fault.kind,
        what: strike.what,
        run,
        at: (struckAt - this.#began) / 1000,
        recoveredAfter: null,
        load: load(),
      };
      this.records.push(record);
      if (strike.injury) this.injuries.set(fault.number, strike.injury);
      const recovered = await this.#progress(run, before.length + PROGRESS);
      if (recovered) record.recoveredAfter = (Date.now() - struckAt) / 1000;
      await strike.over;
      this.say(faultLine(record));
      return recovered;
    }
    return false;
  }

  /** Waits for the end of the run under way. */
  async finish(): Promise<void> {
    const run = this.#run;
    if (run === undefined || this.stuck || this.paused) return;
    if (await this.#progress(run, Number.POSITIVE_INFINITY, this.#until)) await this.#ended(run);
    this.#timed();
  }

  async #runUnderWay(): Promise<string | null> {
    const run = this.#run;
    if (run !== undefined && !isDone(await published(this.#store, run))) return run;
    if (run !== undefined) {
      await this.#ended(run);
      this.#timed();
    }
    if (this.stuck) return null;
    const next = `disturbed-${this.runs.length + 1}`;
    await this.begin(next);
    return next;
  }

  async #ended(run: string): Promise<void> {
    const { client } = this.cluster;
    const limit = Date.now() + this.patienceMs;
    while (!this.stuck) {
      const status = await client.workflow
        .getHandle(run)
        .describe()
        .then(found => found.status.name)
        .catch(() => 'RUNNING');
      if (status === 'COMPLETED') break;
      if (status !== 'RUNNING' || Date.now() > limit) {
        this.stuck = `${run} has its result, but its workflow is ${status}`;
        break;
      }
      await sleep(200);
    }
  }

  #timed(): void {
    this.runs.at(-1)!.seconds = (Date.now() - this.#runBegan) / 1000;
  }

  /**
   * False, with the reason in `stuck`, when the artifacts do not come: looks now and then why.
   * @param until when it no longer matters, which is `paused`
   */
  async #progress(run: string, count: number, until = Number.POSITIVE_INFINITY): Promise<boolean> {
    let { length } = await published(this.#store, run);
    let limit = Date.now() + this.patienceMs;
    while (!(await untilPublished(this.#store, run, count, 5000))) {
      if (this.#over(until)) return false;
      const now = (await published(this.#store, run)).length;
      if (now > length) limit = Date.now() + this.patienceMs;
      length = now;
      this.stuck = await this.#whyStuck(run);
      if (!this.stuck && Date.now() > limit) this.stuck = `${run} published nothing for ${this.patienceMs / 1000} s`;
      if (this.stuck) return false;
    }
    return true;
  }

  #over(until: number): boolean {
    this.paused ||= Date.now() > until;
    return this.paused;
  }

  async #whyStuck(run: string): Promise<string | null> {
    const { client } = this.cluster;
    const handle = client.workflow.getHandle(run);
    const ask = asking(client, ANSWER_LIMIT_MS);
    try {
      const { status } = await ask(() => handle.describe());
      // Completed it has its result, which shows at the next look.
      if (status.name !== 'RUNNING' && status.name !== 'COMPLETED') {
        const why = await handle.result().then(String, error => rootCause((error as Error).cause));
        return `${run} ended as ${status.name}: ${why}`;
      }
      const { advice } = await ask(() => handle.query<Progress>('progress'));
      return advice === null ? null : `${run} waits for a person: ${advice.split('\n')[0]}`;
    } catch {
      return null; // The server or the workers are away for the moment.
    }
  }
}

/** Tried again while the server is away. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  const limit = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await sleep(500);
    }
  }
}
