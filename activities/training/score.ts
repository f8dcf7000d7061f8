/** Rewards for a round of rollouts. */
import {
  isPass,
  type PromptItem,
  type RolloutGroup,
  readData,
  readKept,
  rewardsOf,
  type ScoredRollouts,
} from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import { textModelOf } from '../policies/index.js';
import type { GroupReward, JudgeUsage } from '../rewards/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  fenceOf,
  linesText,
  readLines,
  type StageAttempt,
  specUri,
  stepUri,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';

export interface ScoreInput {
  stage: StageAttempt;
  /** Absent where an earlier version asked for it: the run's own. */
  spec?: ArtifactRef;
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
  /** Responses with reward 1, or more where evidence adds to it. */
  passes: number;
  /** Groups without rewards. */
  unscored: number;
  /** What the judge was asked now; absent without one, and where the scores lay in the store. */
  judge?: JudgeUsage;
}

export function score(deps: Dependencies) {
  return (input: ScoreInput): Promise<ScoreResult> =>
    supervised(`scoring step ${input.step}`, async supervision => {
      const { stage, step, refill } = input;
      const { store } = deps;
      const uri = scoresUri(stage, step, refill);
      const published = await store.find(uri);
      if (published) return summary(published, await readLines<ScoredRollouts>(store, published));

      const groups = await readLines<RolloutGroup>(store, input.rollouts);
      const scoring = () => scoreGroups(deps, input, groups, supervision);
      const { scored, judge, asksOthers } = await timed(deps, 'score', scoring);
      supervision.check();
      const [text, fence] = [linesText(scored), fenceOf(stage)];
      if (!asksOthers) return summary(await store.publishText(uri, text, fence), scored);
      // Whoever is asked twice may answer twice: of two workers at one step the first decides for both.
      const ref = await store.publishFirst(uri, text, fence);
      const result = summary(ref, await readLines<ScoredRollouts>(store, ref));
      return judge ? { ...result, judge } : result;
    });
}

export const scoresUri = (stage: StageAttempt, step: number, refill: number): string =>
  stepUri(stage, step, `scores-${refill}.jsonl`);

/** The groups with the rewards of their responses; `judge` says what it was asked, `asksOthers` whether anybody may be. */
export async function scoreGroups(
  deps: Dependencies,
  { stage, spec, data }: Pick<ScoreInput, 'stage' | 'spec' | 'data'>,
  groups: readonly RolloutGroup[],
  { call, note }: Supervision,
): Promise<{ scored: ScoredRollouts[]; judge?: JudgeUsage; asksOthers: boolean }> {
  const items = await readData<PromptItem>(deps.store, data);
  const model = await textModelOf(deps, stage.run);
  const texts = groups.map(group => group.responses.map(response => model.responseText(response.ids)));
  const { reward } = await readKept<RunSpec>(deps.store, spec ?? (await deps.store.find(specUri(stage.run)))!);
  const rewarder = deps.rewarder(reward);
  const rewards = await rewarder.reward(
    groups.map(({ id, index, promptIds }, k) => {
      const { task, question, answers, evidence, thinkingOpen } = items[index]!;
      const prompt = reward.custom ? model.responseText(promptIds) : undefined;
      return { id, task, question, answers, evidence, prompt, promptOpensThinking: thinkingOpen, responses: texts[k]! };
    }),
    { signal: call.signal, note },
  );
  const scored = groups.map((group, k) => scoredGroup(group, texts[k]!, rewards.groups[k]!));
  return { scored, asksOthers: rewarder.asksOthers, ...(rewards.judge && { judge: rewards.judge }) };
}

function scoredGroup({ id, index, origin }: RolloutGroup, texts: string[], given: GroupReward): ScoredRollouts {
  const common = { id, index, origin };
  if (given.rewards === null) {
    const responses = texts.map(text => ({ text }));
    return { ...common, meanReward: null, responses, dropped: 'unscored', reason: given.unscored };
  }
  const rewards = given.rewards.map(({ reward }) => reward);
  return {
    ...common,
    meanReward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    responses: given.rewards.map((reward, i) => ({ ...reward, text: texts[i]! })),
    dropped: rewards.every(reward => reward === rewards[0]) ? 'no-variance' : null,
  };
}

/** How many groups teach. */
export function effectiveOf(groups: readonly ScoredRollouts[]): number {
  return groups.filter(group => group.dropped === null).length;
}

function summary(scores: ArtifactRef, groups: ScoredRollouts[]): ScoreResult {
  const rewards = rewardsOf(groups);
  return {
    scores,
    groups: groups.length,
    effective: effectiveOf(groups),
    responses: rewards.length,
    rewardSum: rewards.reduce((sum, reward) => sum + reward, 0),
    passes: rewards.filter(isPass).length,
    unscored: groups.filter(group => group.dropped === 'unscored').length,
  };
}
