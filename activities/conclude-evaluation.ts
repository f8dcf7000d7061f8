/** The end of an evaluation: its result is published and, of a schedule's firing, compared with the one before. */
import type { BenchmarkRow, EvaluationSummary } from '../workflows/contract.js';
import type { OfficialMetric } from './benchmarks/benchmarks.js';
import { mean } from './benchmarks/statistics/samples.js';
import { codeVersion } from './code-version.js';
import type { Dependencies } from './dependencies.js';
import { compareFirings } from './evaluation-comparison.js';
import type { EvaluatedModel, EvaluationPlan } from './evaluation-plan.js';
import { type EvaluationRecord, firingBefore } from './evaluation-record.js';
import type { EvaluationResult } from './score-evaluation.js';
import { type ArtifactRef, evaluatedUri, MissingArtifactError, publishJson, readJson, type Store } from './store/index.js';
import { supervised } from './supervision.js';

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
      const { name, label, sets, before } = record;
      return {
        ...{ name, label, uri, before, regression: record.regression, notification: null },
        rows: sets.map(({ row }) => row),
        mean: mean(sets.map(({ row }) => row.score)),
      };
    });
}
