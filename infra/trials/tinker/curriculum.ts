/** A shortened tiny curriculum, end to end: on our own engine, on the service, and on the service while faults strike. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CurriculumResult, EvaluationRow } from '../../../activities/contract/index.js';
import type { RunSpec } from '../../../activities/spec/index.js';
import { Cluster } from '../../chaos/cluster.js';
import { readLedger } from '../../chaos/ledger.js';
import { faultLine, recoveryOf } from '../../chaos/report.js';
import { schedule } from '../../chaos/schedule.js';
import { ChaosFolder } from '../../chaos/stores/folder.js';
import { Trial } from '../../chaos/trial.js';
import { CHECKOUT } from '../../checkout.js';
import { loadSpec } from '../../specs/spec-files.js';
import { movementOf } from './movement.js';
import type { Row } from './rows.js';
import { ServiceLink } from './service-link.js';
import type { SkyRl } from './skyrl.js';

const SPEC = join(CHECKOUT, 'infra', 'trials', 'tinker', 'small.yaml');
const UNDISTURBED = 'undisturbed';
/** The folder of the undisturbed run on the service, and the file of what it took. */
const CALM = 'service';
const SECONDS = 'seconds';
const RANK = 8;
const ALPHA = 32;
/** Beyond it a run counts as stuck: a service that is started anew compiles and is tried again first. */
const PATIENCE_MS = 900_000;
/** Relative: of two runs' final weights, how far they moved from the base. */
const SAME_WEIGHTS = 1e-2;
const KINDS = [
  ...['kill-service', 'kill-service-engine', 'lose-answers', 'forget-promises'],
  ...['kill-worker', 'lose-store', 'cut-connections', 'kill-server'],
];

export interface CurriculumOptions {
  server: SkyRl;
  /** Of databases, stores and logs. */
  folder: string;
  faults: number;
  seed: number;
  say: (line: string) => void;
}

interface Ended {
  store: string;
  run: string;
  result: CurriculumResult;
  seconds: number;
}

export async function curriculum({ server, folder, say }: Omit<CurriculumOptions, 'faults' | 'seed'>): Promise<Row[]> {
  const ours = await undisturbed(join(folder, 'ours'), await specOf(null), {}, say);
  say(`our own engine: ${scoresOf(ours)}, ${ours.seconds.toFixed(0)} s`);
  const spec = await specOf(server);
  const theirs = await withLink(server, link => undisturbed(join(folder, CALM), spec, variables(link), say));
  say(`the service: ${scoresOf(theirs)}, ${theirs.seconds.toFixed(0)} s`);
  const books = await readLedger(theirs.store, theirs.run);
  const rows: Row[] = [
    {
      what: 'the run on the service',
      bar: 'ends; every step once in its books',
      seen: `${books.steps} steps, ${books.groups} groups, ${books.responses} responses; ${books.errors.length} lost, twice or out of place; ${theirs.seconds.toFixed(0)} s (ours ${ours.seconds.toFixed(0)} s)`,
      holds: books.errors.length === 0 && books.steps > 0,
    },
  ];
  for (const row of theirs.result.evaluations) {
    const own = ours.result.evaluations.find(({ policy, set }) => policy === row.policy && set === row.set);
    if (!own) continue;
    const holds = row.low <= own.high && own.low <= row.high;
    const bar = `${percent(own)}, our engine's, within the noise`;
    rows.push({ what: `score of ${row.policy} on ${row.set}, ${row.items} questions`, bar, seen: percent(row), holds });
  }
  return rows;
}

/** The run on the service again, as often as it takes for all faults to strike, beside one that was left in peace. */
export async function faulted(options: CurriculumOptions): Promise<Row[]> {
  const { server, folder, faults, seed, say } = options;
  const spec = await specOf(server);
  return withLink(server, async link => {
    const struck = {
      kill: () => server.kill(),
      killEngine: () => server.killEngine(),
      start: () => server.start(),
      loseAnswers: (count: number) => link.loseAnswers(count),
      forgetPromises: (count: number) => link.forgetPromises(count),
    };
    const store = join(folder, 'struck', 'store');
    const log = (line: string) => void (process.env.CHAOS_DEBUG && say(line));
    const state = join(folder, 'struck');
    const cluster = await Cluster.start({
      ...{ state, store: new ChaosFolder(store), env: variables(link), service: struck, log },
    });
    const trial = new Trial(cluster, spec, say, PATIENCE_MS);
    try {
      for (const fault of schedule(seed, faults, KINDS, 2)) if (!(await trial.strike(fault))) break;
      await trial.finish();
    } finally {
      await cluster.stop();
    }
    // The part before this one has made such a run, if it was asked for.
    const earlier = await endedRun(join(folder, '..', 'curriculum', CALM));
    const calm = earlier ?? (await undisturbed(join(folder, CALM), spec, variables(link), say));
    return verdict(trial, calm, store, faults, server);
  });
}

async function verdict(trial: Trial, calm: Ended, store: string, wanted: number, server: SkyRl): Promise<Row[]> {
  const { records, runs, stuck, say } = trial;
  const kinds = [...new Set(records.map(({ kind }) => kind))].map(
    kind => `${kind} ${records.filter(record => record.kind === kind).length}`,
  );
  const times = recoveryOf(records);
  const rows: Row[] = [
    {
      what: `faults: ${kinds.join(', ')}`,
      bar: `${wanted}, and the run goes on after each`,
      seen: `${records.filter(({ recoveredAfter }) => recoveredAfter !== null).length} of ${records.length}${times ? `; median ${times.median.toFixed(0)} s, longest ${times.longest.toFixed(0)} s` : ''}${stuck ? `; stuck: ${stuck}` : ''}`,
      holds:
        stuck === null && records.length === wanted && records.every(({ recoveredAfter }) => recoveredAfter !== null),
    },
  ];
  for (const record of records) say(faultLine(record));
  for (const { run, seconds } of runs) {
    const books = await readLedger(store, run);
    for (const error of books.errors) say(`${run}: ${error}`);
    rows.push({
      what: `books of ${run}`,
      bar: 'no step lost or twice',
      seen: `${books.steps} steps, ${books.groups} groups, ${books.responses} responses; ${books.errors.length} lost, twice or out of place; ${seconds.toFixed(0)} s (undisturbed ${calm.seconds.toFixed(0)} s)`,
      holds: books.errors.length === 0 && books.steps > 0,
    });
    const ended = await resultOf(store, run);
    if (!ended) continue;
    const { base } = server.options;
    const far = await movementOf({ base, one: calm, other: { store, run, result: ended } });
    rows.push({
      what: `weights of ${run} beside those of the undisturbed run, of their way from the base`,
      bar: `${SAME_WEIGHTS} relative`,
      seen: far.toExponential(1),
      holds: far <= SAME_WEIGHTS,
    });
  }
  return rows;
}

async function specOf(server: SkyRl | null): Promise<RunSpec> {
  const adapter = { rank: RANK, alpha: ALPHA };
  const settings = server
    ? ['engine.kind=tinker', `engine.model=${server.options.base}`, ...assigned('engine.lora', adapter)]
    : [...assigned('lora', adapter), 'lora.targetModules=all-linear'];
  return (await loadSpec(SPEC, settings, CHECKOUT)).spec;
}

const assigned = (path: string, values: Record<string, unknown>): string[] =>
  Object.entries(values).map(([name, value]) => `${path}.${name}=${value}`);

const variables = ({ url }: ServiceLink): NodeJS.ProcessEnv => ({
  LONGHAUL_ENGINE: 'tinker',
  LONGHAUL_ENGINE_URL: url,
});

async function withLink<T>(server: SkyRl, use: (link: ServiceLink) => Promise<T>): Promise<T> {
  const link = await ServiceLink.listen(server.port);
  try {
    return await use(link);
  } finally {
    link.close();
  }
}

async function undisturbed(
  state: string,
  spec: RunSpec,
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Ended> {
  const store = join(state, 'store');
  const run = UNDISTURBED;
  const cluster = await Cluster.start({ state, store: new ChaosFolder(store), env, log: say });
  const trial = new Trial(cluster, spec, say, PATIENCE_MS);
  try {
    await trial.begin(run);
    await trial.finish();
  } finally {
    await cluster.stop();
  }
  await writeFile(join(state, SECONDS), String(trial.runs[0]!.seconds));
  const ended = await endedRun(state);
  if (!ended) throw new Error(`the undisturbed run does not end by itself: ${trial.stuck}; logs: ${state}`);
  return ended;
}

/** The undisturbed run that is kept there; null where there is none, or not to its end. */
async function endedRun(state: string): Promise<Ended | null> {
  const store = join(state, 'store');
  const result = await resultOf(store, UNDISTURBED);
  const seconds = Number(await readFile(join(state, SECONDS), 'utf8').catch(() => Number.NaN));
  return result && { store, run: UNDISTURBED, result, seconds };
}

async function resultOf(store: string, run: string): Promise<CurriculumResult | null> {
  const text = await readFile(join(store, 'runs', run, 'result.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as CurriculumResult);
}

const percent = ({ score, low, high }: EvaluationRow): string =>
  `${score.toFixed(1)} % (${low.toFixed(1)} to ${high.toFixed(1)})`;

const scoresOf = ({ result }: Ended): string =>
  result.evaluations.map(row => `${row.policy} ${percent(row)}`).join(', ');
