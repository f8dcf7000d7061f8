/** What an evaluation leaves in the store: its record, with every item's scores; texts lie in the sets' results. */
import { type BenchmarkName, itemScores, type OfficialMetric } from '../benchmarks/index.js';
import type { BenchmarkRow, FiringComparison } from '../contract/index.js';
import type { CodeVersion } from '../provenance/index.js';
import { type ArtifactRef, evaluatedUri, readJson, type Store, storeUri } from '../store/index.js';
import type { EvaluatedModel } from './plan.js';
import type { EvaluationResult } from './score-evaluation.js';

/** evaluations/<name>/<label>/result.json */
export interface EvaluationRecord {
  name: string;
  label: string;
  /** Of a schedule's: the schedule, and which firing it is. */
  schedule: string | null;
  firing: string | null;
  model: EvaluatedModel;
  spec: ArtifactRef;
  code: CodeVersion;
  sets: RecordedSet[];
  before: FiringComparison | null;
  regression: boolean;
}

export interface RecordedSet {
  name: string;
  metric: BenchmarkName;
  row: BenchmarkRow;
  /** The questions, the same for every model that has this hash. */
  items: ArtifactRef;
  /** Every answer as text with all its scores: an EvaluationResult. */
  result: ArtifactRef;
  scores: ItemScores[];
}

/** An item's means over its answers, in percent; null where it has no score. */
export interface ItemScores {
  id: string;
  reward: number | null;
  /** By the benchmark's first official metric; null also where it has none. */
  official: number | null;
}

/** The scores of each item of a set's result. */
export function scoresOf(items: EvaluationResult['items'], official: OfficialMetric | undefined): ItemScores[] {
  const rewards = itemScores(items, 'reward');
  const officials = official === undefined ? null : itemScores(items, official);
  return items.map(({ id }) => ({ id, reward: rewards.get(id) ?? null, official: officials?.get(id) ?? null }));
}

/** The concluded evaluations under a name, in the order of their folders: of a schedule, of its firings. */
export async function recordsOf(store: Store, name: string): Promise<{ folder: string; record: EvaluationRecord }[]> {
  const records: { folder: string; record: EvaluationRecord }[] = [];
  for (const folder of await store.list(storeUri('evaluations', name))) {
    const record = await recordAt(store, name, folder);
    if (record) records.push({ folder, record });
  }
  return records;
}

/** The last concluded firing of a schedule before this one. */
export async function firingBefore(
  store: Store,
  schedule: string,
  firing: string,
): Promise<{ folder: string; record: EvaluationRecord } | null> {
  const folders = (await store.list(storeUri('evaluations', schedule))).filter(folder => folder < firing).reverse();
  for (const folder of folders) {
    const record = await recordAt(store, schedule, folder);
    if (record?.schedule === schedule) return { folder, record };
  }
  return null;
}

async function recordAt(store: Store, name: string, folder: string): Promise<EvaluationRecord | null> {
  const ref = await store.find(evaluatedUri(name, folder, 'result.json'));
  return ref && readJson<EvaluationRecord>(store, ref);
}
