/** What a response is worth: max(rule, judge), or a reward of the user's own. */
export { CustomRewardError, moduleHash } from './custom.js';
export { goldLetter } from './hardened/choice.js';
export { isNumericGold } from './hardened/docmath.js';
export { optionsOf } from './hardened/options.js';
export type { JudgeUsage } from './judge.js';
export { judgePromptProblem } from './judge-prompt.js';
export { createRewarder, type GroupReward, type ResponseReward, type Rewarder } from './reward.js';
export { explainRule, FINISHES, type ResponseContext, SCORERS, type Scorer, scoreRule } from './rules.js';
export { saidIn } from './said.js';
export {
  type CustomSettings,
  evaluationReward,
  type JudgeSettings,
  type RewardSettings,
  rewardSchema,
} from './settings.js';
export type { Explanation } from './verdict.js';
