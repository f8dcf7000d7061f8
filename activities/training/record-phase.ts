/** Closes a phase's books: how difficult its samples were, and a line for each of its steps. */
import {
  type DifficultyRecord,
  type Round,
  rewardsOf,
  type ScoredRollouts,
  type UpdateRecord,
} from '../artifacts/index.js';
import type { Dependencies } from '../dependencies.js';
import { entryAt, withoutAsking } from '../policies/index.js';
import {
  type ArtifactRef,
  absence,
  attemptUri,
  fenceOf,
  hashOf,
  inTurn,
  publishJson,
  publishLines,
  readLines,
  type StageAttempt,
  type Store,
  stepUri,
} from '../store/index.js';
import { supervised } from '../supervision/index.js';

/** All that was said in a round is in its scores: tens of megabytes, of long responses. */
const ROUNDS_AT_ONCE = 4;

export interface StageSteps {
  stage: StageAttempt;
  steps: number;
}

/** Mean reward of every sample drawn in the phase, over all its responses: what later phases resample by. */
export function recordDifficulty(deps: Dependencies) {
  return ({ stage, steps }: StageSteps): Promise<ArtifactRef> =>
    supervised('recording difficulties', async () => {
      const seen = new Map<number, { id: string; responses: number; rewardSum: number }>();
      const rounds = (await updatesOf(deps.store, stage, steps)).flatMap(({ inputs }) => inputs.rounds);
      const scoresOf = ({ scores }: Round) => readLines<ScoredRollouts>(deps.store, scores);
      for await (const groups of inTurn(rounds, scoresOf, ROUNDS_AT_ONCE)) {
        for (const group of groups) {
          const rewards = rewardsOf([group]);
          if (rewards.length === 0) continue;
          const entry = seen.get(group.index) ?? { id: group.id, responses: 0, rewardSum: 0 };
          entry.responses += rewards.length;
          entry.rewardSum += rewards.reduce((sum, reward) => sum + reward, 0);
          seen.set(group.index, entry);
        }
      }
      const record: DifficultyRecord = {
        samples: [...seen]
          .sort(([a], [b]) => a - b)
          .map(([index, { id, responses, rewardSum }]) => ({
            index,
            id,
            responses,
            meanReward: rewardSum / responses,
          })),
      };
      return publishJson(deps.store, attemptUri(stage, 'difficulty.json'), record, fenceOf(stage));
    });
}

/** A line of <phase>/<attempt>/steps.jsonl. */
export interface StepLine extends Pick<UpdateRecord, 'step' | 'skipped' | 'counts' | 'metrics'> {
  /** Names of the policies before and after. */
  parent: string;
  policy: string;
  /** Of the policy after. */
  sha256: string;
}

/** The stage's steps, a line each: policy, counts and metrics. */
export function summarizeSteps(deps: Dependencies) {
  return ({ stage, steps }: StageSteps): Promise<ArtifactRef> =>
    supervised('summarising the steps', async () => {
      const lines = (await updatesOf(deps.store, stage, steps)).map(
        ({ step, inputs, result, skipped, counts, metrics }): StepLine => ({
          step,
          parent: inputs.parent.name,
          policy: result.name,
          sha256: result.sha256,
          skipped,
          counts,
          metrics,
        }),
      );
      const identity = hashOf(lines.map(line => ({ ...line, counts: withoutAsking(line.counts) })));
      return publishLines(deps.store, attemptUri(stage, 'steps.jsonl'), lines, fenceOf(stage), identity);
    });
}

async function updatesOf(store: Store, stage: StageAttempt, steps: number): Promise<UpdateRecord[]> {
  const records: UpdateRecord[] = [];
  const all = Array.from({ length: steps }, (_, k) => k + 1);
  for await (const record of inTurn(all, step => updateOf(store, stage, step, steps))) records.push(record);
  return records;
}

async function updateOf(store: Store, stage: StageAttempt, step: number, steps: number): Promise<UpdateRecord> {
  const entry = await entryAt(store, stage, step);
  if (entry) return entry.record;
  throw await absence(store, stepUri(stage, step, 'update.json'), `wanted the ${steps} steps of ${stage.stage}`);
}
