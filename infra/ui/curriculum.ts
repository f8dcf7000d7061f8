/** The page of a run's curriculum: what each phase draws from, what it carried over and why, and how often it drew. */
import type { DifficultyRecord, Pool } from '../../activities/artifacts/index.js';
import {
  attemptUri,
  claimedAttempt,
  poolUri,
  readJson,
  type StageAttempt,
  type Store,
  stageUri,
} from '../../activities/store/index.js';
import { bandOf } from '../../activities/training/index.js';
import type { DrawnAt, Draws } from './draws.js';
import { isDamage } from './errors.js';
import { basisOf } from './stages.js';

/** Bins of a mean reward from 0 to 1. */
const BINS = 10;
/** Carried samples that are named, the likeliest first. */
const NAMED = 40;
const WAIT_MS = 300;

export async function curriculumPage({ store, draws }: { store: Store; draws: Draws }, run: string) {
  const { spec, data } = await basisOf(store, run);
  const problems: string[] = [];
  let missing = 0;
  const phases = [];
  for (const [k, phase] of spec.phases.entries()) {
    const name = `phase-${k + 1}`;
    const planned = data?.phases.find(one => one.name === name) ?? null;
    const begun = await begunPhase(store, { run, stage: name }, message => problems.push(message));
    const drawn = begun ? await draws.of(begun.stage, WAIT_MS) : { draws: [], missing: 0 };
    missing += drawn.missing;
    phases.push({
      name,
      attempt: begun?.stage.attempt ?? null,
      steps: phase.steps,
      band: bandOf(spec, k),
      own: planned?.own ?? null,
      lengths: planned?.tokens ?? null,
      pool: begun?.pool && shownPool(begun.pool, drawn.draws),
      difficulty: difficultyOf(drawn.draws),
      recorded: begun?.difficulty ? histogram(begun.difficulty.samples.map(({ meanReward }) => meanReward)) : null,
      draws: drawsOf(begun?.pool ?? null, drawn.draws),
    });
  }
  return { run, retrospective: spec.retrospective, phases, missing, problems };
}

/** The current attempt of a phase; null before the first. */
async function begunPhase(store: Store, at: Pick<StageAttempt, 'run' | 'stage'>, problem: (message: string) => void) {
  const attempt = await claimedAttempt(store, stageUri(at));
  if (attempt === null) return null;
  const stage: StageAttempt = { ...at, attempt };
  const read = async <T>(uri: string): Promise<T | null> => {
    try {
      const ref = await store.find(uri);
      return ref && (await readJson<T>(store, ref));
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  };
  return {
    stage,
    pool: await read<Pool>(poolUri(stage)),
    difficulty: await read<DifficultyRecord>(attemptUri(stage, 'difficulty.json')),
  };
}

/** What was carried over, each sample once: how often it is in the pool, from what difficulty, and how often it was drawn. */
function shownPool({ counts, entries }: Pool, draws: readonly DrawnAt[]) {
  const drawn = countBy(draws, ({ index }) => index);
  const carried = new Map<number, { id: string; meanReward: number | null; weight: number | null; copies: number }>();
  for (const { index, id, origin, meanReward, weight } of entries) {
    if (origin !== 'carried') continue;
    const known = carried.get(index) ?? { id, meanReward, weight, copies: 0 };
    carried.set(index, { ...known, copies: known.copies + 1 });
  }
  const named = [...carried]
    .map(([index, one]) => ({ index, ...one, drawn: drawn.get(index) ?? 0 }))
    .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || b.drawn - a.drawn || a.index - b.index);
  return {
    ...counts,
    carriedDifficulty: histogram([...carried.values()].flatMap(({ meanReward }) => meanReward ?? [])),
    named: named.slice(0, NAMED),
    unnamed: Math.max(0, named.length - NAMED),
  };
}

/** Mean reward of each sample in this phase. */
function difficultyOf(draws: readonly DrawnAt[]) {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { index, rewards } of draws) {
    for (const reward of rewards) {
      if (reward === null) continue;
      const { sum, count } = sums.get(index) ?? { sum: 0, count: 0 };
      sums.set(index, { sum: sum + reward, count: count + 1 });
    }
  }
  return histogram([...sums.values()].map(({ sum, count }) => sum / count));
}

/** How many samples were drawn so often: never, once, twice, …; the last is that often or more. */
function drawsOf(pool: Pool | null, draws: readonly DrawnAt[]) {
  const often = 5;
  const times = countBy(draws, ({ index }) => index);
  const samples = new Set(pool?.entries.map(({ index }) => index) ?? times.keys());
  const counts = Array.from({ length: often + 1 }, () => 0);
  for (const index of samples) counts[Math.min(often, times.get(index) ?? 0)]! += 1;
  const carried = draws.filter(({ origin }) => origin === 'carried').length;
  return { total: draws.length, carried, counts };
}

/** Shares of 0 to 1 in bins, the last with its upper bound; rewards beyond are in the outermost. */
function histogram(values: readonly number[]): number[] {
  const counts = Array.from({ length: BINS }, () => 0);
  for (const value of values) counts[Math.max(0, Math.min(BINS - 1, Math.floor(value * BINS)))]! += 1;
  return counts;
}

function countBy<T>(all: readonly T[], key: (one: T) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const one of all) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return counts;
}
