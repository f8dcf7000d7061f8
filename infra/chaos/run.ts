/** A whole trial: a run in peace, then runs of the same spec under faults until all have struck, then the comparison. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCause } from '@temporalio/common';
import { openSnapshot, STATE_FILE } from '../../activities/checkpoint.js';
import type { RunSpec } from '../../activities/spec.js';
import { CorruptArtifactError, FolderStore, MissingArtifactError } from '../../activities/store/index.js';
import { validateSpec } from '../../activities/validate-spec.js';
import type { CurriculumResult, Progress } from '../../workflows/contract.js';
import { TASK_QUEUE } from '../../workflows/contract.js';
import { Cluster } from './cluster.js';
import { compareRuns } from './comparison.js';
import { FAULT_KINDS, type Injury } from './faults/index.js';
import { ChaosJudge } from './judge.js';
import { readLedger } from './ledger.js';
import {
  type ChaosReport,
  type FaultRecord,
  faultLine,
  load,
  type Outcome,
  productiveShare,
  type RunRecord,
  recoveryOf,
} from './report.js';
import { type Fault, schedule } from './schedule.js';
import { isDone, published, untilPublished } from './watch.js';

export interface ChaosOptions {
  /** An empty folder for databases, stores and logs. */
  folder: string;
  spec: RunSpec;
  preset: string;
  /** How many, or one in every so many steps of the run. */
  faults: number | { everySteps: number };
  seed: number;
  /** Has a judge asked about what the rule does not pass: the harness's own, which may go away too. */
  judge: boolean;
  /** Which kinds of faults; all unless told. */
  kinds?: readonly string[];
  say: (line: string) => void;
}

/** Beyond it a run counts as stuck. Far more than any recovery takes, also on a machine that has other work. */
const PATIENCE_MS = 300_000;
/** Two: one may have been on its way when the fault struck. */
const PROGRESS = 2;
/** An engine that shows no progress for so long is taken for hung: far less than the usual, for these are small steps. */
const ENGINE_SILENCE_SECONDS = 12;
/** No outage of the judge lasts so long: its verdicts may be late, but none may be missing. */
const JUDGE_RETRY_SECONDS = 600;
const UNDISTURBED = 'undisturbed';

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  if (!options.judge) return trials(options, undefined);
  const judge = await ChaosJudge.listen();
  try {
    return await trials({ ...options, spec: withJudge(options.spec, judge.url) }, judge);
  } finally {
    judge.close();
  }
}

function withJudge(spec: RunSpec, url: string): RunSpec {
  const reward = { ...spec.reward, judge: { url, model: 'chaos', retrySeconds: JUDGE_RETRY_SECONDS } };
  return validateSpec({ ...spec, reward });
}

async function trials(options: ChaosOptions, judge: ChaosJudge | undefined): Promise<ChaosReport> {
  const { folder, spec, preset, seed, say } = options;
  const undisturbed = await undisturbedRun(options, judge);
  say(
    `undisturbed run: ${undisturbed.seconds.toFixed(1)} s, ${undisturbed.steps} steps, ${undisturbed.artifacts} artifacts`,
  );

  const wanted =
    typeof options.faults === 'number' ? options.faults : Math.ceil(undisturbed.steps / options.faults.everySteps);
  const kinds = options.kinds ?? Object.keys(FAULT_KINDS).filter(kind => judge || kind !== 'silence-judge');
  // All faults should fit into one run, if it is long enough for them.
  const peace = Math.max(1, Math.floor((2 * undisturbed.artifacts) / wanted) - PROGRESS);
  const store = join(folder, 'store');
  judge?.forget();
  const cluster = await startCluster(options, 'disturbed', store, judge);
  const trial = new Trial(cluster, spec, say);
  try {
    for (const fault of schedule(seed, wanted, kinds, peace)) {
      if (!(await trial.strike(fault))) break;
    }
    await trial.finish();
  } finally {
    await cluster.stop();
  }
  const calm = { store: join(folder, 'undisturbed', 'store'), run: UNDISTURBED };
  const runs: RunRecord[] = [];
  for (const { run, seconds } of trial.runs) {
    const comparison = await compareRuns(calm, { store, run });
    runs.push({ run, seconds, sha256: await resultOf(store, run), ledger: await readLedger(store, run), comparison });
  }
  const faults = await Promise.all(trial.records.map(record => withOutcome(store, record, trial.injuries)));
  const report = { seed, preset, cores: availableParallelism(), undisturbed, faults, runs };
  return {
    ...report,
    recovery: recoveryOf(faults),
    productive: productiveShare(report),
    judged: judge ? judge.asked : null,
    violations: violations(report, wanted, trial.stuck),
  };
}

function startCluster(
  { folder, say }: ChaosOptions,
  name: string,
  store: string,
  judge: ChaosJudge | undefined,
): Promise<Cluster> {
  const env = { LONGHAUL_ENGINE_SILENCE: String(ENGINE_SILENCE_SECONDS) };
  return Cluster.start({
    state: join(folder, name),
    store,
    env,
    judge,
    log: line => void (process.env.CHAOS_DEBUG && say(line)),
  });
}

async function undisturbedRun(
  options: ChaosOptions,
  judge: ChaosJudge | undefined,
): Promise<ChaosReport['undisturbed']> {
  const store = join(options.folder, 'undisturbed', 'store');
  const cluster = await startCluster(options, 'undisturbed', store, judge);
  try {
    const trial = new Trial(cluster, options.spec, options.say);
    await trial.begin(UNDISTURBED);
    await trial.finish();
    const sha256 = await resultOf(store, UNDISTURBED);
    if (sha256 === null) throw new Error(`the undisturbed run does not end by itself: ${trial.stuck}`);
    const artifacts = (await published(store, UNDISTURBED)).length;
    const { steps } = await readLedger(store, UNDISTURBED);
    return { seconds: trial.runs[0]!.seconds, sha256, artifacts, steps };
  } finally {
    await cluster.stop();
  }
}

/** Runs of one spec after another on a cluster, and what strikes them. */
class Trial {
  readonly records: FaultRecord[] = [];
  readonly injuries = new Map<number, Injury>();
  readonly runs: { run: string; seconds: number }[] = [];
  /** Why it went no further; null while it goes on. */
  stuck: string | null = null;
  readonly #store: string;
  readonly #began = Date.now();
  #runBegan = 0;

  constructor(
    readonly cluster: Cluster,
    readonly spec: RunSpec,
    readonly say: (line: string) => void,
  ) {
    this.#store = cluster.options.store;
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

  /** Waits until the run under way has published so much more, and lets the fault strike. False when the run is stuck. */
  async strike(fault: Fault): Promise<boolean> {
    for (;;) {
      const run = await this.#runUnderWay();
      if (run === null) return false;
      const { length } = await published(this.#store, run);
      if (!(await this.#progress(run, length + fault.after))) return false;
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
  }

  /** Waits for the end of the run under way. */
  async finish(): Promise<void> {
    const run = this.#run;
    if (run === undefined || this.stuck) return;
    await this.#progress(run, Number.POSITIVE_INFINITY);
    await this.#ended(run);
  }

  async #runUnderWay(): Promise<string | null> {
    const run = this.#run;
    if (run !== undefined && !isDone(await published(this.#store, run))) return run;
    if (run !== undefined) await this.#ended(run);
    if (this.stuck) return null;
    const next = `disturbed-${this.runs.length + 1}`;
    await this.begin(next);
    return next;
  }

  async #ended(run: string): Promise<void> {
    const { client } = this.cluster;
    const limit = Date.now() + PATIENCE_MS;
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
    this.runs.at(-1)!.seconds = (Date.now() - this.#runBegan) / 1000;
  }

  /** False, with the reason in `stuck`, when the artifacts do not come: looks now and then why. */
  async #progress(run: string, count: number): Promise<boolean> {
    let { length } = await published(this.#store, run);
    let limit = Date.now() + PATIENCE_MS;
    while (!(await untilPublished(this.#store, run, count, 5000))) {
      const now = (await published(this.#store, run)).length;
      if (now > length) limit = Date.now() + PATIENCE_MS;
      length = now;
      this.stuck = await this.#whyStuck(run);
      if (!this.stuck && Date.now() > limit) this.stuck = `${run} published nothing for ${PATIENCE_MS / 1000} s`;
      if (this.stuck) return false;
    }
    return true;
  }

  async #whyStuck(run: string): Promise<string | null> {
    const handle = this.cluster.client.workflow.getHandle(run);
    try {
      const { status } = await handle.describe();
      if (status.name !== 'RUNNING') {
        const why = await handle.result().then(String, error => rootCause((error as Error).cause));
        return `${run} ended as ${status.name}: ${why}`;
      }
      const { advice } = await handle.query<Progress>('progress');
      return advice === null ? null : `${run} waits for a person: ${advice.split('\n')[0]}`;
    } catch {
      return null; // The server or the workers are away for the moment.
    }
  }
}

/** A fault's damaged file: as it was again, or still damaged and then found by whoever reads it. */
async function withOutcome(store: string, record: FaultRecord, injuries: Map<number, Injury>): Promise<FaultRecord> {
  const injury = injuries.get(record.number);
  if (!injury) return record;
  const { path, sha256 } = injury;
  const bytes = await readFile(join(store, path)).catch(() => null);
  if (bytes && createHash('sha256').update(bytes).digest('hex') === sha256) {
    return { ...record, injury: { path, outcome: 'repaired' } };
  }
  return { ...record, injury: { path, outcome: await outcomeOf(new FolderStore(store), path) } };
}

/** Reads what is damaged as the activities do. */
async function outcomeOf(store: FolderStore, path: string): Promise<Outcome> {
  const [, checkpoint] = /^(runs\/[^/]+\/checkpoints\/[^/]+)\//.exec(path) ?? [];
  if (!checkpoint) return (await store.find(`store:${path}`)) === null ? 'found, not read in the run' : 'not found';
  const uri = `store:${checkpoint}`;
  const state = JSON.parse(await readFile(join(store.root, checkpoint, STATE_FILE), 'utf8').catch(() => '{}'));
  const policy = { uri, name: checkpoint.slice(checkpoint.lastIndexOf('/') + 1), sha256: String(state.sha256) };
  return openSnapshot(store, policy).then(
    () => 'not found',
    error => {
      if (error instanceof MissingArtifactError) return 'removed';
      return error instanceof CorruptArtifactError ? 'found, not read in the run' : 'not found';
    },
  );
}

function violations(
  { undisturbed, faults, runs }: Pick<ChaosReport, 'undisturbed' | 'faults' | 'runs'>,
  wanted: number,
  stuck: string | null,
): string[] {
  const unread = new Set(
    faults.flatMap(({ injury }) => (injury && injury.outcome !== 'repaired' ? [injury.path] : [])),
  );
  return [
    ...(stuck ? [stuck] : []),
    ...(faults.length < wanted ? [`${faults.length} of ${wanted} faults have struck`] : []),
    ...faults.flatMap(({ number, injury }) =>
      injury?.outcome === 'not found' ? [`fault ${number}: the damage to ${injury.path} is not found`] : [],
    ),
    ...runs.flatMap(({ run, sha256, ledger, comparison }) => [
      ...(sha256 === undisturbed.sha256 ? [] : [`${run} ends in ${sha256 ?? 'no policy'}`]),
      ...ledger.errors.map(error => `${run}: ${error}`),
      // Of a run without an end everything after is missing.
      ...(sha256 === null ? [] : comparison.missing.map(path => `${run}: ${path} is missing`)),
      ...comparison.extra.map(path => `${run}: ${path} is not in the undisturbed run`),
      ...comparison.different
        .filter(path => !unread.has(`runs/${run}/${path}`))
        .map(path => `${run}: ${path} differs from the undisturbed run's`),
      ...comparison.aside.filter(path => path.includes('diverged')).map(path => `${run}: a divergent result: ${path}`),
    ]),
  ];
}

async function resultOf(store: string, run: string): Promise<string | null> {
  const text = await readFile(join(store, 'runs', run, 'result.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as CurriculumResult).policy.sha256;
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
