/** Scores a policy's responses to an evaluation set: a result for each item, and the row of the table. */
import type { EvaluationRow } from '../workflows/contract.js';
import { type PromptItem, readData } from './artifacts.js';
import type { Dependencies } from './dependencies.js';
import type { EvaluateInput, EvaluationResponses } from './evaluate.js';
import { type ArtifactRef, evaluationUri, publishJson, readLines } from './store/index.js';
import { supervised } from './supervision.js';
import { textModelOf } from './text-model.js';
import { wilsonInterval } from './wilson.js';

export interface ScoreEvaluationInput extends EvaluateInput {
  responses: ArtifactRef;
}

/** evaluations/<name>.json */
export interface EvaluationResult {
  label: string;
  set: string;
  policy: string;
  row: Omit<EvaluationRow, 'uri'>;
  items: {
    id: string;
    question: string;
    answers: string[];
    promptTokens: number;
    /** Mean score of its responses. */
    score: number;
    responses: { score: number; extracted: string | null; text: string; finish: 'stop' | 'length' }[];
  }[];
}

export function scoreEvaluation(deps: Dependencies) {
  return ({ run, policy, label, set, responses }: ScoreEvaluationInput): Promise<EvaluationRow> =>
    supervised(`scoring ${label} on ${set.name}`, async supervision => {
      const items = await readData<PromptItem>(deps.store, set.data);
      const model = await textModelOf(deps, run);
      const lines = await readLines<EvaluationResponses>(deps.store, responses);
      const results = items.map((item, k) => {
        const scored = lines[k]!.responses.map(({ ids, finish }) => {
          const text = model.responseText(ids);
          const { score, extracted } = deps.scoreRule(item.task, text, item.answers);
          return { score, extracted, text, finish };
        });
        const score = scored.reduce((sum, response) => sum + response.score, 0) / scored.length;
        const { id, question, answers, promptIds } = item;
        return { id, question, answers, promptTokens: promptIds.length, score, responses: scored };
      });
      const total = (of: (result: (typeof results)[number]) => number) =>
        results.reduce((sum, result) => sum + of(result), 0);
      const interval = wilsonInterval(
        total(result => result.score),
        results.length,
      );
      const row = {
        policy: label,
        set: set.name,
        items: results.length,
        score: (100 * total(result => result.score)) / results.length,
        low: 100 * interval.low,
        high: 100 * interval.high,
        meanPromptTokens: total(result => result.promptTokens) / results.length,
      };
      const result: EvaluationResult = { label, set: set.name, policy: policy.name, row, items: results };
      supervision.check();
      const uri = evaluationUri(run, `${label}.${set.name}`, policy.name, 'json');
      await publishJson(deps.store, uri, result);
      return { ...row, uri };
    });
}
