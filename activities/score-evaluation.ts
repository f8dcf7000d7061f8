/** Scores a policy's responses to an evaluation set: a result for each item, and the row of the table. */
import type { EvaluationRow } from '../workflows/contract.js';
import { type PromptItem, readData } from './artifacts.js';
import { type ItemResult, summarise } from './benchmarks/results.js';
import type { Dependencies } from './dependencies.js';
import type { EvaluateInput, EvaluationResponses } from './evaluate.js';
import { evaluationReward } from './rewards/settings.js';
import type { RunSpec } from './spec.js';
import { type ArtifactRef, evaluationUri, publishJson, readJson, readLines } from './store/index.js';
import { supervised } from './supervision.js';
import { textModelOf } from './text-model.js';

export interface ScoreEvaluationInput extends EvaluateInput {
  responses: ArtifactRef;
}

/** evaluations/<name>.json */
export interface EvaluationResult {
  label: string;
  set: string;
  policy: string;
  row: EvaluationRow;
  items: ItemResult[];
}

export function scoreEvaluation(deps: Dependencies) {
  return ({ run, spec, policy, label, set, responses }: ScoreEvaluationInput): Promise<EvaluationRow> =>
    supervised(`scoring ${label} on ${set.name}`, async supervision => {
      const items = await readData<PromptItem>(deps.store, set.data);
      const model = await textModelOf(deps, run);
      const lines = await readLines<EvaluationResponses>(deps.store, responses);
      const texts = lines.map(line => line.responses.map(({ ids }) => model.responseText(ids)));
      const { reward } = await readJson<RunSpec>(deps.store, spec);
      const { groups: rewards } = await deps.rewarder(evaluationReward(reward)).reward(
        items.map(({ id, task, question, answers }, k) => ({ id, task, question, answers, responses: texts[k]! })),
        { signal: supervision.call.signal, note: supervision.note },
      );
      const results = items.map(({ id, question, answers: golds, promptIds }, k): ItemResult => {
        const given = rewards[k]!;
        const answers = lines[k]!.responses.map(({ ids, finish }, i) => {
          const reward = given.rewards ? given.rewards[i]! : null;
          return { ...reward, text: texts[k]![i]!, tokens: ids.length, finish };
        });
        return {
          id,
          question,
          golds,
          promptTokens: promptIds.length,
          answers,
          ...(!given.rewards && { unscored: given.unscored }),
        };
      });
      const uri = evaluationUri(run, `${label}.${set.name}`, policy.name, 'json');
      const row = summarise(label, set.name, results, uri);
      const result: EvaluationResult = { label, set: set.name, policy: policy.name, row, items: results };
      supervision.check();
      await publishJson(deps.store, uri, result);
      return row;
    });
}
