/**
 * The run on the service while faults strike, as often as it takes for all of them, beside one that was left in peace. It
 * takes longer than a machine may be had for at a time, so it can be broken off and gone on with: everything that takes part
 * has its state in the folder, and is away in between.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster } from '../../chaos/cluster.js';
import { readLedger } from '../../chaos/ledger.js';
import { type FaultRecord, recoveryOf } from '../../chaos/report.js';
import { schedule } from '../../chaos/schedule.js';
import { ChaosFolder } from '../../chaos/stores/folder.js';
import { Trial, type TrialSoFar } from '../../chaos/trial.js';
import { UserError } from '../../user-error.js';
import type { CurriculumOptions } from './curriculum.js';
import { movementOf } from './movement.js';
import { type Found, inOrder, type Row } from './rows.js';
import { adapterSpec, type Ended, PATIENCE_MS, resultOf, storeIn, undisturbed, variables, withLink } from './runs.js';

/** Relative: of two runs' final weights, how far they moved from the base. */
const SAME_WEIGHTS = 1e-2;
/** Small steps, so that more of a trial's time goes into recoveries. */
const SMALLER = [
  ...['warmup.data.0.count=32', 'warmup.batchSize=4', 'rl.promptsPerStep=2', 'rl.promptsPerUpdate=2'],
  'evaluation.sets.0.source.count=8',
];
/** Most artifacts between a recovery and the next fault. */
const PEACE = 2;
const KINDS = [
  ...['kill-service', 'kill-service-engine', 'lose-answers', 'forget-promises'],
  ...['kill-worker', 'lose-store', 'cut-connections', 'kill-server'],
];
const SO_FAR = 'so-far.json';

export interface FaultOptions extends CurriculumOptions {
  faults: number;
  seed: number;
  /** After which no fault strikes any more, and what is left is for the next time. */
  minutes: number;
}

/** What was kept of it, which goes with these faults alone. */
interface Kept extends TrialSoFar {
  seed: number;
}

/** Null when the time was over before all was done. */
export async function faulted(options: FaultOptions): Promise<Found | null> {
  const { server, folder, faults, seed, minutes, say } = options;
  const until = Date.now() + 60_000 * minutes;
  const spec = await adapterSpec(server.options.base, server, SMALLER);
  // Before the faults: it shows that the run ends by itself, and is what they are held against.
  const calm = await withLink(server, link => undisturbed(join(folder, 'calm'), spec, variables(link), say));
  const state = join(folder, 'struck');
  const kept = await keptIn(folder, seed);
  const trial = await withLink(server, async link => {
    const service = {
      kill: () => server.kill(),
      killEngine: () => server.killEngine(),
      start: () => server.start(),
      loseAnswers: (count: number) => link.loseAnswers(count),
      forgetPromises: (count: number) => link.forgetPromises(count),
    };
    const log = (line: string) => void (process.env.CHAOS_DEBUG && say(line));
    const store = new ChaosFolder(storeIn(state));
    const cluster = await Cluster.start({ state, store, env: variables(link), service, log });
    const struck = new Trial(cluster, spec, say, { patienceMs: PATIENCE_MS, until, soFar: kept });
    const keep = () => writeFile(join(folder, SO_FAR), `${JSON.stringify({ seed, ...struck.soFar }, null, 1)}\n`);
    try {
      for (const fault of schedule(seed, faults, KINDS, PEACE).slice(struck.records.length)) {
        if (!(await struck.strike(fault))) break;
        await keep();
      }
      await struck.finish();
    } finally {
      await keep();
      await cluster.stop();
    }
    return struck;
  });
  if (trial.paused) {
    say(`${trial.records.length} of ${faults} faults have struck; the same command goes on from here`);
    return null;
  }
  return { rows: await verdict(trial, calm, storeIn(state), options), seconds: trial.soFar.seconds };
}

async function keptIn(folder: string, seed: number): Promise<Kept | null> {
  const text = await readFile(join(folder, SO_FAR), 'utf8').catch(() => null);
  if (text === null) return null;
  const kept = JSON.parse(text) as Kept;
  if (kept.seed === seed) return kept;
  throw new UserError(
    `--seed ${seed}: ${folder} holds faults of seed ${kept.seed}: expected that one, or a new folder`,
  );
}

async function verdict(
  trial: Trial,
  calm: Ended,
  store: string,
  { faults, server, say }: FaultOptions,
): Promise<Row[]> {
  const { records, runs, stuck } = trial;
  const rows = [...recoveries(records), struckAll(records, faults, stuck)];
  for (const { run, seconds } of runs) {
    const books = await readLedger(store, run);
    for (const error of books.errors) say(`${run}: ${error}`);
    const took = `${seconds.toFixed(0)} s (undisturbed ${calm.seconds.toFixed(0)} s)`;
    rows.push({ what: `books of ${run}`, bar: 'no step lost or twice', ...inOrder(books, took) });
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

/** A row a kind. */
function recoveries(records: readonly FaultRecord[]): Row[] {
  return [...new Set(records.map(({ kind }) => kind))].sort().map(kind => {
    const own = records.filter(record => record.kind === kind);
    return { what: `fault ${kind}`, bar: 'the run goes on after each', ...recovered(own) };
  });
}

function struckAll(records: readonly FaultRecord[], wanted: number, stuck: string | null): Row {
  const { seen, holds } = recovered(records);
  return {
    what: 'all faults',
    bar: `${wanted}, and the run goes on after each`,
    seen: `${seen}${stuck ? `; stuck: ${stuck}` : ''}`,
    holds: holds && stuck === null && records.length === wanted,
  };
}

function recovered(records: readonly FaultRecord[]): Pick<Row, 'seen' | 'holds'> {
  const times = recoveryOf(records);
  const after = records.filter(({ recoveredAfter }) => recoveredAfter !== null).length;
  const seconds = times ? `; median ${times.median.toFixed(0)} s, longest ${times.longest.toFixed(0)} s` : '';
  return { seen: `${after} of ${records.length}${seconds}`, holds: after === records.length };
}
