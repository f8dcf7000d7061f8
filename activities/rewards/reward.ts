/** The reward of a group of responses: max(rule, judge), as QwenLong-L1 has it (arXiv 2505.17667, section 3.3). */
import type { Task } from '../datasets/sample.js';
import { scoreRule } from './rules.js';
import type { RewardSettings } from './settings.js';

/** A question and the responses to it that are rewarded together. */
export interface GroupToReward {
  /** The sample's id, for messages. */
  id: string;
  task: Task;
  question: string;
  answers: readonly string[];
  responses: readonly string[];
}

export interface ResponseReward {
  /** What training sees. */
  reward: number;
  /** The rule's own score. */
  rule: 0 | 1;
  /** The answer as found in the response; null when none was. */
  extracted: string | null;
  /** Why, for people. */
  reason: string;
}

/** Rewards for every response of the group, in order; or none for any, and why: a group is never scored in part. */
export type GroupReward = { rewards: ResponseReward[] } | { rewards: null; unscored: string };

export interface RewardOptions {
  /** Ends what is asked of others. */
  signal: AbortSignal;
  /** Says what is being done now, in a few words. */
  note(doing: string): void;
}

export interface Rewarder {
  /** Rewards for each group, in order. */
  reward(groups: readonly GroupToReward[], options: RewardOptions): Promise<GroupReward[]>;
}

export function createRewarder(settings: RewardSettings): Rewarder {
  return {
    reward: async groups =>
      groups.map(({ task, answers, responses }) => ({
        rewards: responses.map(response => {
          const { score, extracted, reason } = scoreRule(settings.scorer, task, response, answers);
          return { reward: score, rule: score, extracted, reason };
        }),
      })),
  };
}
