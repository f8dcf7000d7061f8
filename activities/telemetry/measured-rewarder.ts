/** A rewarder whose questions to a judge are counted. */
import { NO_USAGE } from '../remote/index.js';
import type { Rewarder } from '../rewards/index.js';
import type { Meters } from './registry.js';

export function measuredRewarder(rewarder: Rewarder, meters: Meters): Rewarder {
  return {
    asksOthers: rewarder.asksOthers,
    reward: async (groups, options) => {
      try {
        const rewards = await rewarder.reward(groups, options);
        const { asked, cached, failed, promptTokens, completionTokens } = rewards.judge ?? NO_USAGE;
        meters.record('longhaul_judge_calls_total', {}, asked);
        meters.record('longhaul_judge_cached_total', {}, cached);
        meters.record('longhaul_judge_failures_total', {}, failed);
        meters.record('longhaul_judge_tokens_total', { kind: 'prompt' }, promptTokens);
        meters.record('longhaul_judge_tokens_total', { kind: 'completion' }, completionTokens);
        return rewards;
      } catch (error) {
        if (rewarder.asksOthers && !options.signal.aborted) meters.record('longhaul_judge_failures_total', {}, 1);
        throw error;
      }
    },
  };
}
