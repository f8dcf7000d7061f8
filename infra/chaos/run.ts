/** A whole trial: a run in peace, then runs of the same spec under faults until all have struck, then the comparison. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CurriculumResult } from '../../activities/contract/index.js';
import { type RunSpec, validateSpec } from '../../activities/spec/index.js';
import { hashOf } from '../../activities/store/index.js';
import { UserError } from '../user-error.js';
import { Cluster } from './cluster.js';
import { compareRuns } from './comparison.js';
import { struckBy, usualKinds } from './faults/index.js';
import { losses, withOutcome } from './injuries.js';
import { ChaosJudge } from './judge.js';
import { readLedger } from './ledger.js';
import { type ChaosReport, productiveShare, type RunRecord, recoveryOf, verdictLines } from './report.js';
import { schedule } from './schedule.js';
import type { ChaosStore } from './stores/chaos-store.js';
import { ChaosFolder } from './stores/folder.js';
import { openChaosStore, type StoreChoice } from './stores/open.js';
import { PROGRESS, Trial } from './trial.js';
import { published } from './watch.js';

export interface ChaosOptions {
  /** An empty folder for databases, stores and logs. */
  folder: string;
  spec: RunSpec;
  preset: string;
  /** How many, or one in every so many steps of the run. */
  faults: number | { everySteps: number };
  /** A trial for each: its own faults, on a cluster and a store of its own. */
  seeds: readonly number[];
  /** Has a judge asked about what the rule does not pass: the harness's own, which may go away too. */
  judge: boolean;
  /** What the disturbed runs are on; the one in peace is on a folder. */
  store: StoreChoice;
  /** Which kinds of faults; all unless told. */
  kinds?: readonly string[];
  /** Seconds after which an engine that shows no progress is taken for hung. */
  silence?: number;
  say: (line: string) => void;
}

/** Far less than the usual, for these are small steps. */
export const ENGINE_SILENCE_SECONDS = 12;
/** A minute. */
const HOURS_BETWEEN_FAULTS = 1 / 60;
/** No outage of the judge lasts so long: its verdicts may be late, but none may be missing. */
const JUDGE_RETRY_SECONDS = 600;
const UNDISTURBED = 'undisturbed';
/** What is known of it, in the trials' folder. */
const KEPT = 'undisturbed.json';

/** @returns a report for each seed, up to the first that does not hold */
export async function chaos(options: ChaosOptions): Promise<ChaosReport[]> {
  const spec = withFrequentSnapshots(options.spec);
  if (!options.judge) return trials({ ...options, spec }, undefined);
  const judge = await ChaosJudge.listen();
  try {
    return await trials({ ...options, spec: withJudge(spec, judge.url) }, judge);
  } finally {
    judge.close();
  }
}

/** Where a spec leaves it to cost when snapshots are written: here something fails more often than every three hours. */
function withFrequentSnapshots(spec: RunSpec): RunSpec {
  return { ...spec, checkpoints: { ...spec.checkpoints, meanTimeBetweenFailures: HOURS_BETWEEN_FAULTS } };
}

function withJudge(spec: RunSpec, url: string): RunSpec {
  const reward = { ...spec.reward, judge: { url, model: 'chaos', retrySeconds: JUDGE_RETRY_SECONDS } };
  return validateSpec({ ...spec, reward });
}

async function trials(options: ChaosOptions, judge: ChaosJudge | undefined): Promise<ChaosReport[]> {
  const { say } = options;
  const undisturbed = (await keptRun(options)) ?? (await undisturbedRun(options, judge));
  say(
    `undisturbed run: ${undisturbed.seconds.toFixed(1)} s, ${undisturbed.steps} steps, ${undisturbed.artifacts} artifacts`,
  );

  const reports: ChaosReport[] = [];
  for (const seed of options.seeds) {
    judge?.forget();
    const report = await trialOf(options, seed, undisturbed, judge);
    reports.push(report);
    for (const line of verdictLines(report)) say(line);
    if (report.violations.length > 0) break;
  }
  return reports;
}

async function trialOf(
  options: ChaosOptions,
  seed: number,
  undisturbed: ChaosReport['undisturbed'],
  judge: ChaosJudge | undefined,
): Promise<ChaosReport> {
  const { folder, say } = options;
  say(`\nseed ${seed}`);
  const name = `seed-${seed}`;
  const { store, stop } = await openChaosStore(options.store, join(folder, name), name);
  try {
    return await struckRuns(options, seed, undisturbed, store, judge);
  } finally {
    await stop();
  }
}

async function struckRuns(
  options: ChaosOptions,
  seed: number,
  undisturbed: ChaosReport['undisturbed'],
  store: ChaosStore,
  judge: ChaosJudge | undefined,
): Promise<ChaosReport> {
  const { folder, spec, preset, say } = options;
  const wanted =
    typeof options.faults === 'number' ? options.faults : Math.ceil(undisturbed.steps / options.faults.everySteps);
  const kinds = options.kinds ?? usualKinds(struckBy(options));
  // All faults should fit into one run, if it is long enough for them.
  // So that a fault by itself finds the run still under way.
  const most = Math.floor(undisturbed.artifacts / 2);
  const peace = Math.min(most, Math.max(1, Math.floor((2 * undisturbed.artifacts) / wanted) - PROGRESS));
  const cluster = await startCluster(options, `seed-${seed}`, store, judge);
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
  const settled = await store.settled(trial.runs.map(({ run }) => run));
  const lost = await losses(settled, trial.injuries.values());
  const runs: RunRecord[] = [];
  for (const { run, seconds } of trial.runs) {
    const comparison = await compareRuns(calm, { store: settled, run });
    const ledger = await readLedger(settled, run, lost);
    runs.push({ run, seconds, sha256: await resultOf(settled, run), ledger, comparison });
  }
  const faults = await Promise.all(trial.records.map(record => withOutcome(settled, record, trial.injuries)));
  const report = { seed, preset, cores: availableParallelism(), undisturbed, faults, runs };
  return {
    ...report,
    recovery: recoveryOf(faults),
    productive: productiveShare(report),
    judged: judge ? { ...judge.asked } : null,
    violations: violations(report, wanted, trial.stuck),
  };
}

function startCluster(
  { folder, silence = ENGINE_SILENCE_SECONDS, say }: ChaosOptions,
  name: string,
  store: ChaosStore,
  judge: ChaosJudge | undefined,
): Promise<Cluster> {
  const env = { LONGHAUL_ENGINE_SILENCE: String(silence) };
  return Cluster.start({
    state: join(folder, name),
    store,
    env,
    judge,
    log: line => void (process.env.CHAOS_DEBUG && say(line)),
  });
}

/** Of an earlier trial of the same spec in the same folder. */
async function keptRun({ folder, spec }: ChaosOptions): Promise<ChaosReport['undisturbed'] | null> {
  const text = await readFile(join(folder, KEPT), 'utf8').catch(() => null);
  if (text === null) return null;
  const kept = JSON.parse(text) as ChaosReport['undisturbed'] & { spec: string };
  if (kept.spec === hashOf(spec)) return kept;
  throw new UserError(`${folder} holds an undisturbed run of another spec: expected a new folder (--keep)`);
}

async function undisturbedRun(
  options: ChaosOptions,
  judge: ChaosJudge | undefined,
): Promise<ChaosReport['undisturbed']> {
  const folder = join(options.folder, 'undisturbed', 'store');
  const store = new ChaosFolder(folder);
  const cluster = await startCluster(options, 'undisturbed', store, judge);
  try {
    const trial = new Trial(cluster, options.spec, options.say);
    await trial.begin(UNDISTURBED);
    await trial.finish();
    const sha256 = await resultOf(folder, UNDISTURBED);
    if (sha256 === null) throw new Error(`the undisturbed run does not end by itself: ${trial.stuck}`);
    const artifacts = (await published(store, UNDISTURBED)).length;
    const { steps } = await readLedger(folder, UNDISTURBED);
    const undisturbed = { seconds: trial.runs[0]!.seconds, sha256, artifacts, steps };
    await writeFile(join(options.folder, KEPT), JSON.stringify({ ...undisturbed, spec: hashOf(options.spec) }));
    return undisturbed;
  } finally {
    await cluster.stop();
  }
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
