/**
 * `npm run trial -- trackers`: a run whose metrics go to the real TensorBoard, MLflow and trackio at once, while answers are
 * lost and servers are killed, with --faults under the harness of faults besides; then read back by their own readers.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import { FolderStore, type Store, storeUri } from '../../../activities/store/index.js';
import { CatchUp, RunReader, trackersOf } from '../../../activities/trackers/index.js';
import { pythonEnvironment } from '../../bench/python.js';
import { chaos } from '../../chaos/run.js';
import { CHECKOUT, DEFAULT_STATE } from '../../checkout.js';
import { cacheFolder } from '../../local/temporal-binary.js';
import { loadSpec } from '../../specs/spec-files.js';
import { UserError } from '../../user-error.js';
import { type FoundPoint, pointsOf, verdictOf } from './comparison.js';
import { measureCost } from './cost.js';
import { measureOverhead } from './overhead.js';
import { EXPERIMENT, TrackerServers } from './servers.js';
import { StandIns } from './stand-ins.js';

const FOLDER = join(CHECKOUT, 'infra', 'trials', 'trackers');
/** A short one; with more steps there is more to lose. */
const SPEC = join(CHECKOUT, 'infra', 'chaos', 'small.yaml');
/** One answer of so many is lost, and a server killed after so many. */
const LOSES_ONE_OF = 4;
const KILLS_AFTER = 12;
/** For trackers to be given the rest, at the end. */
const REST_LIMIT_MS = 300_000;

interface Flags {
  faults: number;
  seed: number;
  overhead?: number;
  standIns: boolean;
  cost?: string;
  store: string;
  keep?: string;
  again?: boolean;
}

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number from 0');
  return Number(text);
};

export function addTrackersTrial(command: Command): void {
  command
    .description('metrics in TensorBoard, MLflow and trackio under faults: is each point there once?')
    .option('--faults <n>', 'faults of the harness besides (0: the run alone, its trackers faulty)', whole, 0)
    .option('--seed <n>', 'decides which faults', whole, 1)
    .option(
      '--overhead <rounds>',
      'instead: what exporting costs a step, by so many rounds of runs; on a quiet machine',
      whole,
    )
    .option('--stand-ins', 'with --overhead: receivers that cost nothing in place of the real servers', false)
    .option('--cost <run>', 'instead: what exporting asks of the processor, by a finished run')
    .option('--store <folder>', 'with --cost: the store that has it', join(DEFAULT_STATE, 'store'))
    .option('--keep <folder>', 'a folder for stores, logs and databases, left there afterwards')
    .option('--again', 'read back what an earlier trial left in the folder of --keep, without new runs', false)
    .action(async (flags: Flags) => {
      process.exitCode = await trial(flags);
    });
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function trial(flags: Flags): Promise<number> {
  const { faults, seed, overhead, standIns, cost, store, keep, again } = flags;
  if (again && !keep) throw new UserError('--again needs --keep, the folder of the earlier trial');
  if (standIns && !overhead)
    throw new UserError('--stand-ins needs --overhead: what is read back is read from real servers');
  const folder = keep ? resolve(keep) : await mkdtemp(join(tmpdir(), 'longhaul-trackers-'));
  await mkdir(folder, { recursive: true });
  process.env.TRACKIO_WRITE_TOKEN = 'token-of-the-trackers-trial';
  if (standIns) return withoutServers(flags, folder);
  const requirements = join(FOLDER, 'requirements.txt');
  const needs = { who: 'the trackers', python: 'Python 3.10 or newer', disk: '2 GB' };
  const python = await pythonEnvironment({ requirements, cache: cacheFolder(), log: say, needs });
  const servers = await TrackerServers.start(python, folder);
  let isFine = false;
  try {
    const { settings } = servers;
    isFine = overhead
      ? await measureOverhead({ folder, settings, rounds: overhead, say })
      : cost !== undefined
        ? await measureCost({ store: new FolderStore(store), run: cost, settings, say })
        : (again || (await strikeRuns(servers, { folder, faults, seed }))) &&
          (await exactlyOnce(servers, python, folder));
  } finally {
    await servers.stop();
    await leave(folder, isFine && !keep);
  }
  return isFine ? 0 : 1;
}

async function withoutServers({ overhead = 0, keep }: Flags, folder: string): Promise<number> {
  const receivers = await StandIns.start(folder);
  let isFine = false;
  try {
    isFine = await measureOverhead({ folder, settings: receivers.settings, rounds: overhead, say });
  } finally {
    await receivers.stop();
    await leave(folder, isFine && !keep);
  }
  return isFine ? 0 : 1;
}

async function leave(folder: string, isToGo: boolean): Promise<void> {
  if (isToGo) await rm(folder, { recursive: true, force: true });
  else say(`stores, logs and databases: ${folder}`);
}

/** @returns whether the harness of faults found its runs as they should be */
async function strikeRuns(
  servers: TrackerServers,
  { folder, faults, seed }: { folder: string; faults: number; seed: number },
): Promise<boolean> {
  const { spec } = await loadSpec(SPEC, [], CHECKOUT);
  const striking = new AbortController();
  const strikes = servers.strike(LOSES_ONE_OF, KILLS_AFTER, striking.signal);
  const reports = await chaos({
    ...{ folder: runsIn(folder), preset: 'small', faults, seeds: faults > 0 ? [seed] : [], judge: false, say },
    store: 'folder',
    spec: { ...spec, export: servers.settings },
  });
  striking.abort();
  await strikes;
  for (const { name, link, kills } of servers.servers)
    say(`${name}: killed ${kills} times; of ${link.passed} answers ${link.lost} were lost`);
  return reports.every(({ violations }) => violations.length === 0);
}

async function exactlyOnce(servers: TrackerServers, python: string, folder: string): Promise<boolean> {
  await servers.healthy();
  const expected: FoundPoint[] = [];
  for (const trial of (await readdir(runsIn(folder), { withFileTypes: true })).filter(entry => entry.isDirectory())) {
    const store = new FolderStore(join(runsIn(folder), trial.name, 'store'));
    for (const run of await store.list(storeUri('runs'))) {
      await writeRest(servers, store, run);
      expected.push(...(await pointsOf(store, run)));
    }
  }
  return compare(servers, python, expected);
}

const runsIn = (folder: string) => join(folder, 'runs');

/** What the run itself could not write before its cluster was stopped; and once more, when nothing is missing. */
async function writeRest(servers: TrackerServers, store: Store, run: string): Promise<void> {
  const { signal } = new AbortController();
  for (const tracker of trackersOf(servers.settings, process.env)) {
    const catchUp = () => new CatchUp(new RunReader(store, run), tracker).pass(signal);
    const { written, present } = await persistently(catchUp);
    const again = await persistently(catchUp);
    say(`${run}: ${tracker.name}: ${written} of ${present} points were still to be written, then ${again.written}`);
  }
}

/** Tried again while a tracker is away. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  const limit = performance.now() + REST_LIMIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > limit) throw error;
      await sleep(1000);
    }
  }
}

interface ReadBack {
  points: Record<string, FoundPoint[]>;
  texts: [track: string, step: number, name: string][];
  hparams: Record<string, number>;
  mlflow: Record<string, [status: string, parameters: number]>;
}

/** Prints a row for each tracker; false where one has not every point once. */
async function compare(servers: TrackerServers, python: string, expected: FoundPoint[]): Promise<boolean> {
  const asked = {
    logdir: servers.settings.tensorboard,
    mlflow: servers.settings.mlflow!.url,
    experiment: EXPERIMENT,
    trackio: join(servers.folder, 'trackio', `${EXPERIMENT}.db`),
  };
  const program = [join(FOLDER, 'read_back.py'), JSON.stringify(asked)];
  const { stdout } = await promisify(execFile)(python, program, { maxBuffer: 1 << 28 });
  const found = JSON.parse(stdout) as ReadBack;
  const tracks = [...new Set(expected.map(([track]) => track))];
  found.points['JSON lines'] = (await Promise.all(tracks.map(track => jsonPoints(servers, track)))).flat();
  say('\nreader                points  once  missing  twice  other value  not in the log');
  let isFine = true;
  for (const [name, points] of Object.entries(found.points)) {
    const single = name === 'TensorBoard' || name === 'its EventAccumulator';
    const { right, missing, twice, other, strange } = verdictOf(expected, points, single);
    const cells = [expected.length, right, missing.length, twice.length, other.length, strange.length];
    const widths = [6, 6, 9, 7, 13, 16];
    say(`${name.padEnd(22)}${cells.map((cell, k) => String(cell).padStart(widths[k]!)).join('')}`);
    for (const point of [...missing, ...twice, ...other, ...strange].slice(0, 5)) say(`  ${JSON.stringify(point)}`);
    if (right !== expected.length || strange.length > 0) isFine = false;
  }
  const finished = Object.values(found.mlflow).filter(([status]) => status === 'FINISHED').length;
  say(
    `TensorBoard shows ${found.texts.length} texts, and hyperparameters of ${Object.keys(found.hparams).length} runs`,
  );
  say(`MLflow has ${Object.keys(found.mlflow).length} runs, ${finished} of them finished`);
  return isFine && tracks.every(track => found.mlflow[track]?.[0] === 'FINISHED' && found.hparams[track]! > 0);
}

async function jsonPoints({ settings }: TrackerServers, track: string): Promise<FoundPoint[]> {
  const text = await readFile(settings.jsonl!.replace('{run}', track.split('@')[0]!), 'utf8');
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Record<string, unknown>);
  return lines
    .filter(line => line.track === track && line.kind !== 'begin')
    .flatMap(line =>
      Object.entries(line).flatMap(([name, value]): FoundPoint[] =>
        name.includes('/') ? [[track, line.at as number, name, value as number]] : [],
      ),
    );
}
