/** Evaluation of one policy on the run's sets: a row of the table for each. */
import { proxyActivities } from '@temporalio/workflow';
import type { ControlActivities, EngineActivities } from '../activities/index.js';
import type { ArtifactRef } from '../activities/store/index.js';
import type { EvaluationRow, PolicyRef } from './contract.js';
import { DATA, ROLLOUT } from './options.js';

const { evaluate } = proxyActivities<EngineActivities>(ROLLOUT);
const { scoreEvaluation } = proxyActivities<ControlActivities>(DATA);

export interface EvaluationInput {
  run: string;
  spec: ArtifactRef;
  policy: PolicyRef;
  /** `base`, `sft`, `phase-<k>` or `final`. */
  label: string;
  sets: { name: string; data: ArtifactRef }[];
}

export async function evaluation({ sets, ...common }: EvaluationInput): Promise<EvaluationRow[]> {
  const rows: Promise<EvaluationRow>[] = [];
  for (const set of sets) {
    const responses = await evaluate({ ...common, set });
    // Scored while the next set is sampled.
    const row = scoreEvaluation({ ...common, set, responses });
    // Its failure is awaited below, unless sampling the next set fails first.
    row.catch(() => {});
    rows.push(row);
  }
  return Promise.all(rows);
}
