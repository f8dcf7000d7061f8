/** Rewards for a round of rollouts. */
import { type PromptItem, type RolloutGroup, readData, type ScoredRollouts } from './artifacts.js';
import type { Dependencies } from './dependencies.js';
import { type ArtifactRef, fenceOf, publishLines, readLines, type StageAttempt, stepUri } from './store/index.js';
import { supervised } from './supervision.js';
import { textModelOf } from './text-model.js';

export interface ScoreInput {
  stage: StageAttempt;
  data: ArtifactRef;
  step: number;
  refill: number;
  rollouts: ArtifactRef;
}

export interface ScoreResult {
  scores: ArtifactRef;
  groups: number;
  /** Groups whose rewards differ: those that teach. */
  effective: number;
  responses: number;
  rewardSum: number;
  /** Responses with reward 1. */
  passes: number;
}

export function score(deps: Dependencies) {
  return ({ stage, data, step, refill, rollouts }: ScoreInput): Promise<ScoreResult> =>
    supervised(`scoring step ${step}`, async supervision => {
      const uri = stepUri(stage, step, `scores-${refill}.jsonl`);
      const published = await deps.store.find(uri);
      if (published) return summary(published, await readLines<ScoredRollouts>(deps.store, published));

      const items = await readData<PromptItem>(deps.store, data);
      const model = await textModelOf(deps, stage.run);
      const groups = await readLines<RolloutGroup>(deps.store, rollouts);
      const scored = groups.map((group): ScoredRollouts => {
        const { task, answers } = items[group.index]!;
        const responses = group.responses.map(response => {
          const text = model.responseText(response.ids);
          const { score: reward, extracted, reason } = deps.scoreRule(task, text, answers);
          return { reward, extracted, reason, text };
        });
        const rewards = responses.map(response => response.reward);
        return {
          id: group.id,
          index: group.index,
          origin: group.origin,
          meanReward: rewards.reduce<number>((sum, reward) => sum + reward, 0) / rewards.length,
          responses,
          dropped: rewards.every(reward => reward === rewards[0]) ? 'no-variance' : null,
        };
      });
      supervision.check();
      return summary(await publishLines(deps.store, uri, scored, fenceOf(stage)), scored);
    });
}

function summary(scores: ArtifactRef, groups: ScoredRollouts[]): ScoreResult {
  const rewards = groups.flatMap(group => group.responses.map(response => response.reward));
  return {
    scores,
    groups: groups.length,
    effective: groups.filter(group => group.dropped === null).length,
    responses: rewards.length,
    rewardSum: rewards.reduce((sum, reward) => sum + reward, 0),
    passes: rewards.filter(reward => reward === 1).length,
  };
}
