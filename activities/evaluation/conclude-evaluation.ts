/** The end of an evaluation: its result is published and, of a schedule's firing, compared with the one before. */
import { BENCHMARKS, mean } from '../benchmarks/index.js';
import type { BenchmarkRow, EvaluationSummary } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { codeVersion } from '../provenance/index.js';
import {
  type ArtifactRef,
  evaluatedUri,
  MissingArtifactError,
  publishJson,
  readJson,
  type Store,
} from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { compareRecords, isRegression } from './comparison.js';
import type { EvaluationPlan } from './plan.js';
import { type EvaluationRecord, firingBefore, type RecordedSet, scoresOf } from './record.js';
import type { EvaluationResult } from './score-evaluation.js';

export interface ConcludeEvaluationInput {
  plan: ArtifactRef;
  /** Uris of the sets' results. */
  results: string[];
}

export function concludeEvaluation(deps: Dependencies) {
  return ({ plan: ref, results }: ConcludeEvaluationInput): Promise<EvaluationSummary> =>
    supervised('concluding the evaluation', async supervision => {
      const { store } = deps;
      const plan = await readJson<EvaluationPlan>(store, ref);
      const uri = evaluatedUri(plan.name, plan.folder, 'result.json');
      const published = await store.find(uri);
      const record = published
        ? await readJson<EvaluationRecord>(store, published)
        : await recordOf(store, plan, results);
      supervision.check();
      if (!published) await publishJson(store, uri, record);
      const { name, label, sets, before, regression } = record;
      deps.observer?.concluded(name, regression);
      return {
        ...{ name, label, uri, before, regression, notification: null },
        rows: sets.map(({ row }) => row),
        mean: mean(sets.map(({ row }) => row.score)),
      };
    });
}

async function recordOf(store: Store, plan: EvaluationPlan, results: string[]): Promise<EvaluationRecord> {
  const { name, folder, label, schedule, model, spec } = plan;
  const sets: RecordedSet[] = [];
  for (const [k, set] of plan.sets.entries()) sets.push(await recordedSet(store, set, results[k]!));
  const record: EvaluationRecord = {
    ...{ name, label, schedule, firing: schedule === null ? null : folder, model, spec },
    code: codeVersion(),
    sets,
    before: null,
    regression: false,
  };
  const before = schedule === null ? null : await firingBefore(store, schedule, folder);
  if (!before) return record;
  const comparisons = compareRecords(record, before.record);
  return { ...record, before: { firing: before.folder, comparisons }, regression: isRegression(comparisons) };
}

async function recordedSet(
  store: Store,
  { name, metric, items }: EvaluationPlan['sets'][number],
  uri: string,
): Promise<RecordedSet> {
  const ref = await store.find(uri);
  if (!ref) throw new MissingArtifactError(uri, `the result of ${name}`);
  const result = await readJson<EvaluationResult>(store, ref);
  const row = result.row as BenchmarkRow;
  return { name, metric, row, items, result: ref, scores: scoresOf(result.items, BENCHMARKS[metric].official[0]) };
}
