/** What a phase draws from: its own length band, and earlier samples by their difficulty. */
import {
  type DifficultyRecord,
  type Pool,
  type PoolEntry,
  type PromptItem,
  readData,
  readKept,
} from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import { randomStream } from '../engine/random.js';
import type { RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  fenceOf,
  phaseNumber,
  poolUri,
  publishJson,
  readJson,
  type StageAttempt,
  type Store,
} from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { bandOf, inBand } from './bands.js';
import { type Candidate, carriedCount, difficultyWeight, drawCarried, lowestReward } from './resampling.js';

export interface BuildPoolInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  /** Of the phases before, in order. */
  difficulties: ArtifactRef[];
}

export interface BuildPoolResult {
  pool: ArtifactRef;
  counts: Pool['counts'];
}

export function buildPool(deps: Dependencies) {
  return ({ stage, spec, data, difficulties }: BuildPoolInput): Promise<BuildPoolResult> =>
    supervised('building the pool', async supervision => {
      const settings = await readKept<RunSpec>(deps.store, spec);
      const items = await readData<PromptItem>(deps.store, data);
      const records = await difficultiesOf(deps.store, difficulties);
      const pool = poolOf(stage, settings, items, records);
      supervision.check();
      return {
        pool: await publishJson(deps.store, poolUri(stage), pool, fenceOf(stage)),
        counts: pool.counts,
      };
    });
}

/** What the phases before found of their samples. */
export const difficultiesOf = (store: Store, refs: readonly ArtifactRef[]): Promise<DifficultyRecord[]> =>
  Promise.all(refs.map(ref => readJson<DifficultyRecord>(store, ref)));

/** The pool as a function of its inputs. A sample's difficulty is the latest one on record. */
export function poolOf(
  stage: StageAttempt,
  spec: RunSpec,
  items: readonly PromptItem[],
  records: readonly DifficultyRecord[],
): Pool {
  const k = phaseNumber(stage.stage) - 1;
  const band = items.flatMap((item, index): PoolEntry[] =>
    inBand(spec, k, item) ? [{ index, id: item.id, origin: 'band', meanReward: null, weight: null }] : [],
  );
  const candidates = candidatesOf(stage, spec, items, records);
  const { retrospective } = spec;
  const wanted = retrospective.enabled ? carriedCount(band.length, retrospective.fraction) : 0;
  const random = randomStream(spec.seed, stage.stage, stage.attempt, 'carried');
  const lowest = lowestReward(candidates);
  const carried = drawCarried(candidates, wanted, retrospective, random).map(
    ({ index, meanReward }): PoolEntry => ({
      index,
      id: items[index]!.id,
      origin: 'carried',
      meanReward,
      weight: difficultyWeight(meanReward, retrospective, lowest),
    }),
  );
  return {
    stage,
    band: bandOf(spec, k),
    counts: { band: band.length, carried: carried.length, candidates: candidates.length },
    entries: [...band, ...carried],
  };
}

/** Samples of earlier bands with the latest difficulty on record, by their places in the data. */
export function candidatesOf(
  { stage }: StageAttempt,
  spec: RunSpec,
  items: readonly PromptItem[],
  records: readonly DifficultyRecord[],
): Candidate[] {
  const { above } = bandOf(spec, phaseNumber(stage) - 1);
  const latest = new Map(records.flatMap(record => record.samples.map(sample => [sample.index, sample.meanReward])));
  return [...latest]
    .map(([index, meanReward]): Candidate => ({ index, meanReward }))
    .filter(({ index }) => items[index]!.promptIds.length <= above)
    .sort((a, b) => a.index - b.index);
}
